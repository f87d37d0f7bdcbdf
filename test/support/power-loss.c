// Preloaded into a process (LD_PRELOAD), stands for a disk whose power can fail. What the process writes to files
// directly under POWER_LOSS_DIR reaches POWER_LOSS_SHADOW only when it is synced: data/<name> holds a file's synced
// bytes, names lists the directory as of its own last sync. Killed in the middle of a sync, part of what was being
// synced is there, as with a real disk. Memory maps are not seen: SQLite's -shm is rebuilt anyway.
// While the file POWER_LOSS_EIO exists, every sync fails with EIO and keeps nothing.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_FILES 64
#define COPY_BYTES 65536

struct range {
  off_t from, to;
};

struct file {
  char name[NAME_MAX + 1];
  struct range *dirty;
  size_t count, room;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file files[MAX_FILES];
static int file_count;

static void die(const char *what) {
  perror(what);
  abort();
}

#define REAL(type, name, ...)                            \
  static type (*real)(__VA_ARGS__);                      \
  if (!real && !(real = dlsym(RTLD_NEXT, name))) die(name)

// The name under the watched directory ("" for the directory itself); 0 for any other file.
static int watched(int fd, char name[NAME_MAX + 1]) {
  const char *dir = getenv("POWER_LOSS_DIR");
  if (!dir) return 0;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  size_t prefix = strlen(dir);
  if (strncmp(path, dir, prefix) != 0) return 0;
  if (path[prefix] == 0) {
    name[0] = 0;
    return 1;
  }
  const char *rest = path + prefix + 1;
  // "name (deleted)": nobody will find it again.
  if (path[prefix] != '/' || strchr(rest, '/') || strchr(rest, ' ') || strlen(rest) > NAME_MAX) return 0;
  strcpy(name, rest);
  return 1;
}

static struct file *file_of(const char *name) {
  for (int i = 0; i < file_count; i++)
    if (strcmp(files[i].name, name) == 0) return &files[i];
  if (file_count == MAX_FILES) die("power-loss: too many files");
  strcpy(files[file_count].name, name);
  return &files[file_count++];
}

static void note(int fd, off_t from, ssize_t length) {
  char name[NAME_MAX + 1];
  int error = errno;
  if (length > 0 && watched(fd, name) && name[0]) {
    pthread_mutex_lock(&lock);
    struct file *file = file_of(name);
    struct range *last = file->count ? &file->dirty[file->count - 1] : NULL;
    if (last && last->to == from) {
      last->to += length;
    } else {
      if (file->count == file->room) {
        file->room = file->room ? file->room * 2 : 64;
        file->dirty = realloc(file->dirty, file->room * sizeof *file->dirty);
        if (!file->dirty) die("power-loss");
      }
      file->dirty[file->count++] = (struct range){from, from + length};
    }
    pthread_mutex_unlock(&lock);
  }
  errno = error;
}

static void shadow_path(char path[PATH_MAX], const char *part, const char *name) {
  snprintf(path, PATH_MAX, "%s/%s%s", getenv("POWER_LOSS_SHADOW"), part, name);
}

static ssize_t real_pwrite(int fd, const void *data, size_t length, off_t at) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
  return real(fd, data, length, at);
}

static int real_ftruncate(int fd, off_t length) {
  REAL(int, "ftruncate64", int, off_t);
  return real(fd, length);
}

static void keep_file(int fd, const char *name) {
  char path[PATH_MAX], real_path[PATH_MAX];
  static char data[COPY_BYTES];
  struct file *file = file_of(name);
  struct stat now;
  if (fstat(fd, &now) != 0) die("power-loss: fstat");
  shadow_path(path, "data/", name);
  int to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  // The process may have opened its own for writing alone.
  snprintf(real_path, sizeof real_path, "%s/%s", getenv("POWER_LOSS_DIR"), name);
  int from = open(real_path, O_RDONLY | O_CLOEXEC);
  if (to < 0 || from < 0) die(path);
  for (size_t i = 0; i < file->count; i++) {
    off_t at = file->dirty[i].from;
    while (at < file->dirty[i].to) {
      size_t want = file->dirty[i].to - at < COPY_BYTES ? file->dirty[i].to - at : COPY_BYTES;
      ssize_t got = pread(from, data, want, at);
      if (got < 0) die("power-loss: pread");
      if (got == 0) break;
      if (real_pwrite(to, data, got, at) != got) die("power-loss: pwrite");
      at += got;
    }
  }
  if (real_ftruncate(to, now.st_size) != 0) die("power-loss: ftruncate");
  close(to);
  close(from);
  file->count = 0;
}

static void keep_names(void) {
  char path[PATH_MAX], fresh[PATH_MAX];
  shadow_path(path, "names", "");
  shadow_path(fresh, "names.new", "");
  FILE *names = fopen(fresh, "we");
  DIR *dir = opendir(getenv("POWER_LOSS_DIR"));
  if (!names || !dir) die("power-loss: names");
  for (struct dirent *entry; (entry = readdir(dir));)
    if (entry->d_name[0] != '.') fprintf(names, "%s\n", entry->d_name);
  closedir(dir);
  if (fclose(names) != 0 || rename(fresh, path) != 0) die("power-loss: names");
}

static int sync_watched(int fd, int (*real)(int)) {
  char name[NAME_MAX + 1];
  if (!watched(fd, name)) return real(fd);
  const char *eio = getenv("POWER_LOSS_EIO");
  if (eio && access(eio, F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  pthread_mutex_lock(&lock);
  if (name[0]) keep_file(fd, name);
  else keep_names();
  pthread_mutex_unlock(&lock);
  return 0;
}

int fsync(int fd) {
  REAL(int, "fsync", int);
  return sync_watched(fd, real);
}

int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  return sync_watched(fd, real);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
  ssize_t written = real_pwrite(fd, data, length, at);
  note(fd, at, written);
  return written;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t at) {
  return pwrite(fd, data, length, at);
}

ssize_t write(int fd, const void *data, size_t length) {
  REAL(ssize_t, "write", int, const void *, size_t);
  ssize_t written = real(fd, data, length);
  note(fd, written > 0 ? lseek(fd, 0, SEEK_CUR) - written : 0, written);
  return written;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  ssize_t written = real(fd, parts, count);
  note(fd, written > 0 ? lseek(fd, 0, SEEK_CUR) - written : 0, written);
  return written;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off_t);
  ssize_t written = real(fd, parts, count, at);
  note(fd, at, written);
  return written;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at) {
  return pwritev(fd, parts, count, at);
}

// A file's new name goes with its synced bytes: what had not been synced is lost under the new name too.
int rename(const char *from, const char *to) {
  REAL(int, "rename", const char *, const char *);
  int result = real(from, to);
  int error = errno;
  const char *dir = getenv("POWER_LOSS_DIR");
  size_t prefix = dir ? strlen(dir) : 0;
  if (result == 0 && dir && strncmp(from, dir, prefix) == 0 && strncmp(to, dir, prefix) == 0 &&
      from[prefix] == '/' && to[prefix] == '/' && !strchr(from + prefix + 1, '/') && !strchr(to + prefix + 1, '/')) {
    char old_path[PATH_MAX], new_path[PATH_MAX];
    pthread_mutex_lock(&lock);
    shadow_path(old_path, "data", from + prefix);
    shadow_path(new_path, "data", to + prefix);
    if (real(old_path, new_path) != 0 && errno == ENOENT) unlink(new_path);
    struct file *source = file_of(from + prefix + 1), *target = file_of(to + prefix + 1);
    struct range *spare = target->dirty;
    size_t room = target->room;
    target->dirty = source->dirty, target->count = source->count, target->room = source->room;
    source->dirty = spare, source->count = 0, source->room = room;
    pthread_mutex_unlock(&lock);
  }
  errno = error;
  return result;
}
