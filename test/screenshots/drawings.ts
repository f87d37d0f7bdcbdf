import type { Browser } from 'playwright-core'

/**
 * A still life: what stands on the table, in front of a wall. Drawn here, so that no picture belongs to anybody else.
 */
interface StillLife {
  readonly wall: string
  readonly table: string
  /** Within 800 by 600; the table's edge is at 430. */
  readonly things: string
}

const BRASS = 'url(#brass)'
const WOOD = 'url(#wood)'
const STEEL = 'url(#steel)'
const SHADOW = (x: number, width: number, y = 500) =>
  `<ellipse cx="${x}" cy="${y}" rx="${width}" ry="18" fill="#000" opacity=".22" filter="url(#soft)"/>`

const LIVES: Readonly<Record<string, StillLife>> = {
  lamp: {
    wall: '#d9cfbd',
    table: '#7d5f43',
    things: `${SHADOW(400, 150)}<path d="M330 486h140l-16-30H346z" fill="${BRASS}"/><rect x="392" y="240" width="16" height="220" fill="${BRASS}"/>
      <path d="M250 246q150-120 300 0v28H250z" fill="url(#green)"/><path d="M250 262h300v12H250z" fill="#0d4a31"/>
      <path d="M520 274v66" stroke="#b08d3c" stroke-width="4"/><circle cx="520" cy="346" r="7" fill="${BRASS}"/>
      <path d="M262 274 200 430h400L538 274z" fill="#fff6c8" opacity=".28"/>`,
  },
  camera: {
    wall: '#c9d0cf',
    table: '#574739',
    things: `${SHADOW(400, 220)}<rect x="210" y="270" width="380" height="220" rx="36" fill="#26231f"/><path d="M210 330v-24q0-36 36-36h308q36 0 36 36v24z" fill="${STEEL}"/>
      <rect x="250" y="246" width="64" height="26" rx="8" fill="${STEEL}"/><rect x="470" y="240" width="80" height="32" rx="10" fill="${STEEL}"/>
      <rect x="350" y="290" width="46" height="28" rx="5" fill="#10161a"/><rect x="500" y="288" width="60" height="30" rx="5" fill="#1d2a33"/>
      <circle cx="400" cy="402" r="96" fill="${STEEL}"/><circle cx="400" cy="402" r="76" fill="#1a1a1c"/><circle cx="400" cy="402" r="54" fill="url(#glass)"/><circle cx="380" cy="382" r="15" fill="#fff" opacity=".5"/>`,
  },
  chair: {
    wall: '#e4ddd0',
    table: '#a58b6c',
    things: `${SHADOW(400, 140, 540)}<g fill="none" stroke="${WOOD}" stroke-width="16" stroke-linecap="round"><path d="M300 350V160q0-90 100-90t100 90v190"/><path d="M336 340V190q0-70 64-70t64 70v150"/>
      <path d="M300 360 282 540M500 360l18 180M340 372l-12 150M460 372l12 150"/><path d="M308 450h184" stroke-width="9"/></g><ellipse cx="400" cy="356" rx="122" ry="34" fill="${WOOD}"/><ellipse cx="400" cy="350" rx="96" ry="23" fill="#d8b98a"/>`,
  },
  jar: {
    wall: '#d3d6d1',
    table: '#8a7f72',
    things: `${SHADOW(400, 150)}<path d="M340 170h120l6 32q104 60 104 150 0 96-110 144H340q-110-48-110-144 0-90 104-150z" fill="url(#glaze)"/>
      <ellipse cx="400" cy="172" rx="60" ry="13" fill="#1d1310"/><path d="M300 262q-34 50-26 110" stroke="#fff" stroke-width="12" opacity=".25" fill="none" stroke-linecap="round"/>`,
  },
  clock: {
    wall: '#d6c9b8',
    table: '#5f4a3a',
    things: `${SHADOW(400, 220)}<path d="M180 490v-40h440v40zM210 450q0-250 190-250t190 250z" fill="${WOOD}"/><circle cx="400" cy="352" r="100" fill="${BRASS}"/><circle cx="400" cy="352" r="86" fill="#fbf6e7"/>
      <g stroke="#2a221a" stroke-width="7" stroke-linecap="round"><path d="M400 282v12M400 410v12M330 352h12M458 352h12"/><path d="M400 352l-34-34M400 352l10-58" stroke-width="8"/></g><circle cx="400" cy="352" r="8" fill="#2a221a"/>`,
  },
  violin: {
    wall: '#cfc6b8',
    table: '#6a5a4c',
    things: `${SHADOW(400, 120, 550)}<path d="M386 60h28v190h-28z" fill="#241a14"/><path d="M380 40q20-30 40 0v30h-40z" fill="${WOOD}"/>
      <path d="M400 220q-92 0-88 76 2 36 28 56-20 16-34 40-40 78 20 130 30 26 74 26t74-26q60-52 20-130-14-24-34-40 26-20 28-56 4-76-88-76z" fill="url(#varnish)"/>
      <path d="M340 380q-12 34 4 62M460 380q12 34-4 62" stroke="#2a130a" stroke-width="7" fill="none" stroke-linecap="round"/><path d="M386 250h28v120h-28z" fill="#241a14"/><path d="M362 420h76v10h-76z" fill="#e2c79b"/>
      <path d="M392 90v400M400 90v400M408 90v400" stroke="#eee" stroke-width="1.6"/>`,
  },
  iris: {
    wall: '#efe6d2',
    table: '#efe6d2',
    things: `<rect x="230" y="40" width="340" height="520" fill="#fbf6e6" stroke="#c8b98f" stroke-width="6"/><g fill="none" stroke="#4f7a45" stroke-width="9" stroke-linecap="round"><path d="M400 520V280M400 500q-60-90-70-220M400 510q64-80 84-190"/></g>
      <g fill="#5b4aa8"><path d="M400 280q-86-6-96-84 62-6 96 50 34-56 96-50-10 78-96 84z"/><path d="M400 250q-44-60 0-140 44 80 0 140z" fill="#7a69c9"/><path d="M400 276q-30 70-76 74 0-56 76-74zM400 276q30 70 76 74 0-56-76-74z" fill="#463690"/></g><path d="M400 246v34" stroke="#e9c24a" stroke-width="9" stroke-linecap="round"/>`,
  },
  pot: {
    wall: '#dcd9d2',
    table: '#8d7762',
    things: `${SHADOW(410, 150)}<path d="M310 250h190l26 240H286z" fill="url(#cobalt)"/><path d="M296 330q-96-18-92-96l28-4q4 56 72 52z" fill="url(#cobalt)"/><path d="M512 280q90 0 84 84t-70 84" fill="none" stroke="#16307f" stroke-width="20"/>
      <path d="M318 250q90-66 174 0z" fill="#2247ad"/><circle cx="405" cy="208" r="15" fill="#111"/><path d="M340 290l-14 150" stroke="#fff" stroke-width="12" opacity=".35" stroke-linecap="round"/>`,
  },
  typewriter: {
    wall: '#d5d2c4',
    table: '#6b5a48',
    things: `${SHADOW(400, 240)}<rect x="310" y="130" width="180" height="150" fill="#fdfbf3"/><path d="M330 160h140M330 182h120M330 204h132" stroke="#888" stroke-width="4"/><rect x="190" y="270" width="420" height="44" rx="22" fill="#24231f"/>
      <path d="M220 300h360l50 190H170z" fill="#66703d"/><path d="M250 312h300l12 40H238z" fill="#4b532c"/><g fill="#f4efdf">${[
        0, 1, 2,
      ]
        .flatMap((row) =>
          Array.from(
            { length: 9 },
            (_, i) => `<circle cx="${232 + row * -10 + i * (42 + row * 2.4)}" cy="${384 + row * 38}" r="13"/>`,
          ),
        )
        .join('')}</g>`,
  },
  ship: {
    wall: '#cfd9dc',
    table: '#7a6048',
    things: `${SHADOW(400, 260)}<path d="M160 330q0-110 130-110h220q110 0 110 66h70q20 0 20 44t-20 44h-70q0 66-110 66H290q-130 0-130-110z" fill="#dff0f2" opacity=".75" stroke="#9fb8bd" stroke-width="5"/>
      <path d="M270 370h230q-20 46-60 46H310q-30 0-40-46z" fill="#7a3c22"/><g stroke="#4a3322" stroke-width="5"><path d="M320 370V250M385 370V236M450 370V256"/></g><g fill="#faf4e2"><path d="M290 340q30-40 26-80 40 40 22 80zM355 342q34-50 26-94 44 46 26 94zM424 342q28-40 22-74 38 36 22 74z"/></g>
      <rect x="690" y="300" width="46" height="60" rx="8" fill="#b48a58"/>`,
  },
  rug: {
    wall: '#d9d0c4',
    table: '#c9bda9',
    things: `<path d="M190 90h420v420H190z" fill="#8f2f24"/><path d="M222 122h356v356H222z" fill="none" stroke="#e7c98b" stroke-width="10"/><path d="M250 150h300v300H250z" fill="#a63b2c" stroke="#23314f" stroke-width="8"/>
      <g fill="#23314f" stroke="#e7c98b" stroke-width="5"><path d="M400 180l60 60-60 60-60-60zM400 300l60 60-60 60-60-60z"/></g><g fill="#e7c98b"><circle cx="290" cy="190" r="15"/><circle cx="510" cy="190" r="15"/><circle cx="290" cy="410" r="15"/><circle cx="510" cy="410" r="15"/></g>
      <path d="M190 78h420M190 522h420" stroke="#f1e6cf" stroke-width="20" stroke-dasharray="5 7"/>`,
  },
  chess: {
    wall: '#d2cdc2',
    table: '#6e5743',
    things: `${SHADOW(400, 240)}<path d="M200 450h400l50 60H150z" fill="#5b2b1e"/><g>${Array.from(
      { length: 8 },
      (_, i) => `<path d="M${206 + i * 49} 452h49l${(i - 3) * 3} 24h-49z" fill="${i % 2 ? '#e9d8b4' : '#7a3b28'}"/>`,
    ).join(
      '',
    )}</g><path d="M270 450q8-60 22-90h36q14 30 22 90zM310 290a30 30 0 1 1 .1 0z" fill="${WOOD}"/><path d="M300 330h20v30h-20z" fill="${WOOD}"/>
      <path d="M450 450q4-110 24-170h32q20 60 24 170zM474 250h32l8-40-24 16-24-16z" fill="#efe2c4"/>`,
  },
  microscope: {
    wall: '#ccd2cf',
    table: '#59493b',
    things: `${SHADOW(400, 160)}<path d="M300 490q100-70 200 0z" fill="${BRASS}"/><path d="M430 470q70-130-10-230" fill="none" stroke="${BRASS}" stroke-width="26"/><g transform="rotate(-22 380 250)"><rect x="354" y="110" width="52" height="230" rx="8" fill="${BRASS}"/><rect x="346" y="90" width="68" height="30" rx="6" fill="#2b251c"/><rect x="366" y="340" width="28" height="40" fill="#b5892f"/></g>
      <rect x="330" y="396" width="150" height="16" fill="#2b251c"/>`,
  },
  candlesticks: {
    wall: '#cdbfae',
    table: '#54443a',
    things: [300, 500]
      .map(
        (x) =>
          `${SHADOW(x, 70)}<path d="M${x - 60} 492h120l-18-26h-84zM${x - 10} 240h20v230h-20z" fill="${BRASS}"/><circle cx="${x}" cy="330" r="24" fill="${BRASS}"/><circle cx="${x}" cy="410" r="18" fill="${BRASS}"/><path d="M${x - 28} 232h56v16h-56z" fill="${BRASS}"/><path d="M${x - 13} 110h26v124h-26z" fill="#f6efdc"/><path d="M${x} 60q22 30 0 48-22-18 0-48z" fill="#f5b83d"/>`,
      )
      .join(''),
  },
}

const gradient = (id: string, stops: readonly string[], turned = false) =>
  `<linearGradient id="${id}" ${turned ? 'x1="0" y1="0" x2="0" y2="1"' : ''}>${stops
    .map((color, i) => `<stop offset="${i / (stops.length - 1)}" stop-color="${color}"/>`)
    .join('')}</linearGradient>`

const DEFINITIONS = [
  gradient('brass', ['#8c6a24', '#e9c96f', '#a67c2c']),
  gradient('wood', ['#5a3219', '#9a5f33', '#6b3d1f']),
  gradient('steel', ['#8d9296', '#e6e8ea', '#9ea3a8'], true),
  gradient('green', ['#2f9a67', '#0f6a43'], true),
  gradient('glaze', ['#3c2015', '#8c4a26', '#2a150e']),
  gradient('varnish', ['#7b2f10', '#c8682a', '#7b2f10']),
  gradient('cobalt', ['#132a72', '#3560d6', '#15307f']),
  '<radialGradient id="glass"><stop offset="0" stop-color="#5f7fa8"/><stop offset=".7" stop-color="#1a2440"/><stop offset="1" stop-color="#0a0d18"/></radialGradient>',
  '<radialGradient id="light" cx=".3" cy=".2" r="1"><stop offset="0" stop-color="#fff" stop-opacity=".5"/><stop offset="1" stop-color="#000" stop-opacity=".22"/></radialGradient>',
  '<filter id="soft"><feGaussianBlur stdDeviation="9"/></filter>',
].join('')

function svgOf({ wall, table, things }: StillLife): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="800" height="600"><defs>${DEFINITIONS}</defs><rect width="800" height="600" fill="${wall}"/><rect y="430" width="800" height="170" fill="${table}"/>${things}<rect width="800" height="600" fill="url(#light)"/></svg>`
}

/** The pictures of the house, by their names, as JPEG files. */
export async function draw(browser: Browser): Promise<ReadonlyMap<string, Buffer>> {
  const page = await browser.newPage({ viewport: { width: 800, height: 600 } })
  const files = new Map<string, Buffer>()
  for (const [name, life] of Object.entries(LIVES)) {
    await page.setContent(`<body style="margin:0">${svgOf(life)}`)
    files.set(name, await page.screenshot({ type: 'jpeg', quality: 80 }))
  }
  await page.close()
  return files
}
