import { MAX_CLOCK_DIFFERENCE_MS } from '../../src/domain/limits.js'
import type { Forger } from './forger.js'
import type { Machine } from './machine.js'
import type { Fault, Profile } from './profile.js'
import type { Scheduler } from './scheduler.js'
import type { SeededRandom } from './seeded-random.js'
import type { SimCluster } from './sim-cluster.js'
import type { SimGrape } from './sim-discovery.js'
import { FAIR_WEATHER, type SimNetwork } from './sim-network.js'

/**
 * Further apart, nodes do not take each other's events until time has caught up: that is no fault to recover from in
 * minutes.
 */
const MAX_CLOCK_OFFSET_MS = MAX_CLOCK_DIFFERENCE_MS / 2 - 20_000

function within(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value))
}

export interface FaultsDeps {
  readonly scheduler: Scheduler
  readonly machines: readonly Machine[]
  readonly network: SimNetwork
  readonly grape: SimGrape
  readonly forger: Forger
  /** Null where no log is shared. */
  readonly cluster: SimCluster | null
  readonly random: SeededRandom
}

/** Wait before a machine that has not quite stopped is looked at again. */
const STOPPING_MS = 200

/** Everything that goes wrong, at random, until it is told to end. */
export class Faults {
  readonly #deps: FaultsDeps
  readonly #profile: Profile
  #active = true

  constructor(deps: FaultsDeps, profile: Profile) {
    this.#deps = deps
    this.#profile = profile
  }

  start(): void {
    const { scheduler, random } = this.#deps
    scheduler.after(random.exponential(this.#profile.faultEveryMs), 'a fault', null, () => {
      if (!this.#active) return
      this.#strike(random.pick(this.#profile.faults) as Fault)
      this.start()
    })
  }

  /** Peace: the network whole, the disks with room, every machine running. Clocks stay as wrong as they are. */
  end(): void {
    const { machines, network, grape } = this.#deps
    this.#active = false
    network.blocked.clear()
    network.weather = FAIR_WEATHER
    grape.up = true
    this.#mendLog()
    for (const machine of machines) {
      machine.disk.fullness = 0
      machine.disk.failing = false
      this.#startLater(machine, 0)
    }
  }

  #strike(fault: Fault): void {
    const { machines, network, grape, random, forger } = this.#deps
    const machine = random.pick(machines) as Machine
    this.#deps.scheduler.note(`fault: ${fault} (${machine.name})`)
    switch (fault) {
      case 'crash': {
        const all = random.chance(0.1)
        for (const one of all ? machines : [machine]) {
          this.#now(one, () => {
            one.crash()
            this.#startLater(one, random.between(100, 6_000))
          })
        }
        break
      }
      case 'kill':
        this.#now(machine, () => this.#kill(machine))
        break
      case 'stop':
        void machine.stop()
        this.#startLater(machine, random.between(2_000, 6_000))
        break
      case 'partition': {
        const side = new Set(machines.filter(() => random.chance(0.5)).map(({ name }) => name))
        const cut = pairs(machines).filter(([a, b]) => side.has(a) !== side.has(b))
        this.#block(cut)
        break
      }
      case 'one-way':
        this.#block(pairs(machines).filter(() => random.chance(0.2)))
        break
      case 'weather':
        network.weather = {
          loss: random.pick([0, 0.02, 0.2])!,
          duplication: random.pick([0, 0.1])!,
          delayMs: random.pick([1, 10, 80])!,
          long: random.pick([0, 0.05, 0.2])!,
          longMs: random.pick([200, 1_500, 8_000])!,
        }
        this.#later(random.between(500, 5_000), () => {
          network.weather = FAIR_WEATHER
        })
        break
      case 'disk-full':
        machine.disk.fullness = random.pick([0.3, 0.6, 1])!
        this.#later(random.between(500, 5_000), () => {
          machine.disk.fullness = 0
        })
        break
      case 'io-error':
        machine.disk.failing = true
        break
      case 'clock-jump':
        machine.clock.offsetMs = within(
          machine.clock.offsetMs + random.int(-1, 1) * random.pick([300, 8_000, 200_000])!,
          MAX_CLOCK_OFFSET_MS,
        )
        break
      case 'grape-down':
        grape.up = false
        this.#later(random.between(1_000, 8_000), () => {
          grape.up = true
        })
        break
      case 'forgery':
        forger.strike()
        break
      case 'zombie':
        machine.freeze(random.between(2_000, 9_000))
        break
      case 'log-cut':
      case 'log-slow':
      case 'log-down':
      case 'log-lost':
        this.#strikeLog(fault, machine)
        break
      default: {
        const unknown: never = fault
        throw new Error(`unknown fault ${String(unknown)}`)
      }
    }
  }

  #mendLog(): void {
    const { cluster } = this.#deps
    if (cluster === null) return
    cluster.cut.clear()
    cluster.delayMs = 1
    if (!cluster.isUp) cluster.failOver(null)
  }

  #strikeLog(fault: 'log-cut' | 'log-slow' | 'log-down' | 'log-lost', { name }: Machine): void {
    const { cluster, random } = this.#deps
    if (cluster === null || !cluster.isUp) return
    switch (fault) {
      case 'log-cut':
        cluster.cut.add(name)
        this.#later(random.between(500, 8_000), () => cluster.cut.delete(name))
        break
      case 'log-slow':
        cluster.delayMs = random.pick([20, 200])!
        this.#later(random.between(500, 5_000), () => {
          cluster.delayMs = 1
        })
        break
      case 'log-down':
        cluster.isUp = false
        this.#later(random.between(200, 4_000), () => cluster.failOver(null))
        break
      default: {
        const standby = cluster.log.snapshot()
        this.#later(random.between(10, 500), () => {
          if (!cluster.isUp) return
          cluster.isUp = false
          // Whoever has written what is lost may be away when another takes over.
          const { lastWriter } = cluster
          if (lastWriter !== null && random.chance(0.6)) {
            cluster.cut.add(lastWriter)
            this.#later(random.between(4_000, 9_000), () => cluster.cut.delete(lastWriter))
          }
          this.#later(random.between(200, 3_000), () => cluster.failOver(standby))
        })
      }
    }
  }

  /** At once, or at the worst moment: when something has been written and not synced. */
  #now(machine: Machine, strike: () => void): void {
    if (this.#deps.random.chance(0.5)) strike()
    else {
      machine.disk.onceWritten = () => {
        this.#deps.scheduler.after(0, `${machine.name} is hit as it writes`, null, () => {
          if (this.#active) strike()
        })
      }
    }
  }

  /** Killed, started again, and at times struck by a power cut before it has written anything more. */
  #kill(machine: Machine): void {
    const { random, scheduler } = this.#deps
    const downMs = random.between(100, 3_000)
    machine.kill()
    this.#startLater(machine, downMs)
    if (random.chance(0.5)) return
    scheduler.after(downMs + random.between(0, 50), 'a power cut', null, () => {
      if (!this.#active) return
      machine.crash()
      this.#startLater(machine, downMs)
    })
  }

  #block(cut: readonly (readonly [string, string])[]): void {
    const { network, random } = this.#deps
    const directions = cut.map(([a, b]) => `${a}>${b}`)
    for (const direction of directions) network.blocked.add(direction)
    this.#later(random.between(500, 8_000), () => {
      for (const direction of directions) network.blocked.delete(direction)
    })
  }

  #startLater(machine: Machine, delayMs: number): void {
    this.#deps.scheduler.after(delayMs, `${machine.name} is switched on`, null, () => {
      if (machine.stopping) this.#startLater(machine, STOPPING_MS)
      else machine.start()
    })
  }

  #later(delayMs: number, heal: () => void): void {
    this.#deps.scheduler.after(delayMs, 'a fault ends', null, () => {
      if (this.#active) heal()
    })
  }
}

function pairs(machines: readonly Machine[]): [string, string][] {
  return machines.flatMap(({ name: a }) =>
    machines.flatMap(({ name: b }): [string, string][] => (a === b ? [] : [[a, b]])),
  )
}
