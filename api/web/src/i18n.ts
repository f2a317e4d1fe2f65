// Two languages. Chinese is the source; English must hold the same keys (the compiler checks) and the
// same placeholders (a test checks).

import { ref } from 'vue'

export const zh = {
  name: '双碳管家',
  nameSecond: 'Carbon Steward',
  skip: '跳到主要内容',
  allInstitutions: '全部机构',
  institution: '公共机构',
  language: 'English',
  languageLabel: '切换为英文',
  dark: '深色',
  light: '浅色',
  themeLabel: '切换深浅色',
  fullscreen: '全屏',
  online: '实时连接',
  connecting: '正在连接',
  offline: '连接中断',
  lastData: '数据截至 {time}',
  weekdays: '周日,周一,周二,周三,周四,周五,周六',
  date: '{year}年{month}月{day}日',
  monthShort: '{month}月',

  keyFigures: '关键指标',
  powerNow: '实时功率',
  powerNowNote: '{count}/{total} 个总表计量点在上报',
  today: '今日用电',
  todayNote: '昨日同时 {value}',
  monthEnergy: '本月用电',
  yearEnergy: '本年用电',
  monthCarbon: '本月碳排放',
  yearCarbon: '本年碳排放',
  coal: '本年能耗(标准煤)',
  coalNote: '本月 {value}',
  quality: '数据质量',
  coverage: '近24小时完整率',
  ofBudget: '预算 {value}',
  budgetShare: '已用 {share}',
  yearGone: '时间进度 {share}',
  monthGone: '月度时间进度 {share}',
  noBudget: '未设预算',
  budgetCount: '{count}/{total}家',
  versusLastYear: '同比',
  versusLastYearDays: '与去年同月同日数相比',

  measured: '实测',
  interpolated: '插值',
  estimated: '估算',

  loadCurve: '负荷曲线',
  loadCurveSub: '15分钟平均功率',
  todaySeries: '今日',
  yesterdaySeries: '昨日',
  lastWeekSeries: '上周同日',
  peakToday: '今日最大 {value},{time}',
  time: '时间',
  monthly: '逐月用电与碳排放',
  monthlySub: '预算线为全年预算的月度分解',
  electricity: '用电量',
  carbon: '碳排放',
  lastYear: '去年同月',
  budget: '预算',
  month: '月份',
  subItems: '分项用电',
  subItemsSub: '本月',
  subA: '照明插座',
  subB: '空调',
  subC: '动力',
  subD: '特殊',
  subRest: '未分项',
  subItem: '分项',
  share: '占比',
  total: '合计',

  buildings: '建筑',
  buildingsSub: '颜色为所属机构的用电预算进度',
  building: '建筑',
  now: '当前',
  todayShort: '今日',
  monthShortLabel: '本月',
  yearShortLabel: '本年',

  ranking: '机构排名',
  rankingSub: '本年用电',
  perArea: '单位面积',
  totalAmount: '总量',
  rankPerArea: 'kWh/m²',

  budgets: '预算执行',
  budgetsSub: '{year}年,时间进度 {share}',
  metricKwh: '电量 kWh',
  metricYuan: '费用 元',
  metricCarbon: '碳排放 tCO₂',
  used: '已用',
  left: '剩余',
  annual: '全年预算',
  pace: '进度比',
  state: '状态',
  budgetGreen: '正常',
  budgetAmber: '偏快',
  budgetRed: '超进度',
  budgetNone: '未评定',
  stateCount: '{count}家{word}',
  costPending: '费用在配置电价后计算',

  commodities: '能源资源品种',
  commodity: '品种',
  c_electricity: '电',
  c_water: '水',
  c_natural_gas: '天然气',
  c_heat: '热力',
  c_cooling: '冷量',
  c_steam: '蒸汽',
  c_petrol: '汽油',
  c_diesel: '柴油',
  c_lpg: '液化石油气',
  c_coal: '煤',
  c_solar_generation: '光伏发电',

  meters: '表计',
  metersSub: '共 {total} 块',
  meterOnline: '在线',
  meterSilent: '失联',
  meterBackedOff: '退避',
  meterWaiting: '等待',
  meterErrors: '累计错误',
  meterLastSeen: '最近上报 {time}',
  meterTrouble: '需要关注的表计',
  meterAllWell: '没有失联或退避的表计',

  live: '实时读数',
  liveEmpty: '等待第一条实时读数',

  dataIncomplete: '数据不全',
  chart: '图表',
  table: '表格',
  showTable: '{title}:以表格显示',
  showChart: '{title}:以图表显示',
  noData: '暂无数据',

  loading: '正在载入历史数据',
  loadingNote: '已入账 {stored} 条读数,待入账 {queued} 条,待重算 {days} 个计量日',
  starting: '正在等待第一批数据。表计上报后,本页会自动更新。',
  problem: '服务器暂时无法应答,页面保留最近一次的数据',
  problemNetwork: '无法连接服务器,页面保留最近一次的数据',
  retrying: '{seconds} 秒后重试',
  tokenTitle: '需要访问令牌',
  tokenText: '此站点要求身份验证。请输入管理员发给您的访问令牌;令牌只保存在本标签页中。',
  tokenLabel: '访问令牌',
  tokenRefused: '服务器没有接受这个令牌',
  tokenSend: '进入',
  factorNote: '碳排放按所在地电网平均因子(位置法)计算',
  factorUsed: '因子',
} as const

export type Message = keyof typeof zh

export const en: Record<Message, string> = {
  name: 'Carbon Steward',
  nameSecond: '双碳管家',
  skip: 'Skip to the main content',
  allInstitutions: 'All institutions',
  institution: 'Institution',
  language: '中文',
  languageLabel: 'Switch to Chinese',
  dark: 'Dark',
  light: 'Light',
  themeLabel: 'Switch between dark and light',
  fullscreen: 'Full screen',
  online: 'Live',
  connecting: 'Connecting',
  offline: 'Disconnected',
  lastData: 'Data as of {time}',
  weekdays: 'Sun,Mon,Tue,Wed,Thu,Fri,Sat',
  date: '{year}-{month}-{day}',
  monthShort: '{month}',

  keyFigures: 'Key figures',
  powerNow: 'Power now',
  powerNowNote: '{count} of {total} supply points report',
  today: 'Electricity today',
  todayNote: 'Yesterday by now {value}',
  monthEnergy: 'Electricity this month',
  yearEnergy: 'Electricity this year',
  monthCarbon: 'Carbon this month',
  yearCarbon: 'Carbon this year',
  coal: 'Standard coal this year',
  coalNote: 'This month {value}',
  quality: 'Data quality',
  coverage: 'Complete, last 24 h',
  ofBudget: 'Budget {value}',
  budgetShare: '{share} used',
  yearGone: '{share} of the year gone',
  monthGone: '{share} of the month gone',
  noBudget: 'No budget set',
  budgetCount: '{count} of {total}',
  versusLastYear: 'YoY',
  versusLastYearDays: 'Against the same days of the same month last year',

  measured: 'measured',
  interpolated: 'interpolated',
  estimated: 'estimated',

  loadCurve: 'Load curve',
  loadCurveSub: '15-minute mean power',
  todaySeries: 'Today',
  yesterdaySeries: 'Yesterday',
  lastWeekSeries: 'Same day last week',
  peakToday: 'Peak today {value} at {time}',
  time: 'Time',
  monthly: 'Electricity and carbon by month',
  monthlySub: 'The budget line is the monthly part of the annual budget',
  electricity: 'Electricity',
  carbon: 'Carbon',
  lastYear: 'Same month last year',
  budget: 'Budget',
  month: 'Month',
  subItems: 'Electricity by sub-item',
  subItemsSub: 'This month',
  subA: 'Lighting & sockets',
  subB: 'HVAC',
  subC: 'Power',
  subD: 'Special',
  subRest: 'Not sub-metered',
  subItem: 'Sub-item',
  share: 'Share',
  total: 'Total',

  buildings: 'Buildings',
  buildingsSub: 'Colour: the electricity budget pace of the institution',
  building: 'Building',
  now: 'Now',
  todayShort: 'Today',
  monthShortLabel: 'Month',
  yearShortLabel: 'Year',

  ranking: 'Ranking of institutions',
  rankingSub: 'Electricity this year',
  perArea: 'Per area',
  totalAmount: 'Total',
  rankPerArea: 'kWh/m²',

  budgets: 'Budgets',
  budgetsSub: '{year}, {share} of the year gone',
  metricKwh: 'Electricity kWh',
  metricYuan: 'Cost yuan',
  metricCarbon: 'Carbon tCO₂',
  used: 'Used',
  left: 'Left',
  annual: 'Annual budget',
  pace: 'Pace',
  state: 'State',
  budgetGreen: 'On track',
  budgetAmber: 'Fast',
  budgetRed: 'Over pace',
  budgetNone: 'Not rated',
  stateCount: '{count} × {word}',
  costPending: 'Cost is computed once tariffs are configured',

  commodities: 'Commodities',
  commodity: 'Commodity',
  c_electricity: 'Electricity',
  c_water: 'Water',
  c_natural_gas: 'Natural gas',
  c_heat: 'Heat',
  c_cooling: 'Cooling',
  c_steam: 'Steam',
  c_petrol: 'Petrol',
  c_diesel: 'Diesel',
  c_lpg: 'LPG',
  c_coal: 'Coal',
  c_solar_generation: 'Solar generation',

  meters: 'Meters',
  metersSub: '{total} in all',
  meterOnline: 'Online',
  meterSilent: 'Silent',
  meterBackedOff: 'Backed off',
  meterWaiting: 'Waiting',
  meterErrors: 'Errors',
  meterLastSeen: 'last seen {time}',
  meterTrouble: 'Meters that need attention',
  meterAllWell: 'No meter is silent or backed off',

  live: 'Live readings',
  liveEmpty: 'Waiting for the first live reading',

  dataIncomplete: 'Incomplete data',
  chart: 'Chart',
  table: 'Table',
  showTable: '{title}: show as a table',
  showChart: '{title}: show as a chart',
  noData: 'No data yet',

  loading: 'History is loading',
  loadingNote: '{stored} readings in the ledger, {queued} waiting, {days} point-days to compute',
  starting: 'Waiting for the first data. The page updates by itself when meters report.',
  problem: 'The server cannot answer for now; the page keeps its last data',
  problemNetwork: 'The server cannot be reached; the page keeps its last data',
  retrying: 'next attempt in {seconds} s',
  tokenTitle: 'Access token required',
  tokenText:
    'This site asks who you are. Enter the access token that your administrator gave you; it is kept in this tab only.',
  tokenLabel: 'Access token',
  tokenRefused: 'The server did not accept this token',
  tokenSend: 'Enter',
  factorNote: 'Carbon by the average factor of the local grid (location-based)',
  factorUsed: 'Factors',
}

export type Language = 'zh' | 'en'

const LANGUAGE_KEY = 'steward.language'

/** `?lang=` first, then what was chosen before, then Chinese. */
export function chooseLanguage(search: string, stored: string | null): Language {
  const asked = new URLSearchParams(search).get('lang') ?? stored
  return asked === 'en' ? 'en' : 'zh'
}

export const language = ref<Language>('zh')

export function setLanguage(next: Language): void {
  language.value = next
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
}

export function startLanguage(): void {
  setLanguage(chooseLanguage(location.search, localStorage.getItem(LANGUAGE_KEY)))
}

export function toggleLanguage(): void {
  setLanguage(language.value === 'zh' ? 'en' : 'zh')
  localStorage.setItem(LANGUAGE_KEY, language.value)
}

/** Fills `{name}`s of a text. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole))
}

export function t(key: Message, values: Record<string, string | number> = {}): string {
  return fill((language.value === 'zh' ? zh : en)[key], values)
}

/** The name of a thing that has two. */
export function nameOf(thing: { name_zh: string; name_en: string; id: string } | undefined): string {
  if (!thing) return ''
  const [first, second] =
    language.value === 'zh' ? [thing.name_zh, thing.name_en] : [thing.name_en, thing.name_zh]
  return first || second || thing.id
}
