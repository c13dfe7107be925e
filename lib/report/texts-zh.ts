import type { Finding } from "./night.ts";
import { ATTEMPT_WORDS_ZH, ERROR_WORDS_ZH } from "./reasons-zh.ts";
import type { MomentParts, Said, Say, Texts } from "./texts.ts";

// The words are those of the console of Huawei Cloud: 设备接入, 批量任务, 导出任务.

import { PAGE_ZH } from "./texts-zh-page.ts";

const WEEKDAYS = ["周日", "周一", "周二", "周三", "周四", "周五", "周六"];

function day({ year, month, day: date }: Omit<MomentParts, "time" | "weekday">): string {
  return `${year === undefined ? "" : `${year}年`}${month}月${date}日`;
}

function finding(of: Finding, { at, full, reason, nowMs }: Say): Said {
  switch (of.kind) {
    case "loss-near":
      return {
        what: `导出任务 ${of.exportTaskId} 尚未归档，平台${
          of.lossFromMs <= nowMs ? "随时可能将其清除" : `自 ${full(of.lossFromMs)} 起可能将其清除`
        }`,
        advice: `导出任务名额已用 ${of.held}/${of.limit}。名额用尽后，每新建一个导出任务，最早的一个就会被清除。请立即归档，归档完成前不要再新建导出任务。`,
      };
    case "lost":
      return {
        what: `导出任务 ${of.exportTaskId} 已丢失：归档之前已从平台消失（发现于 ${at(of.atMs)}）`,
        advice: "无法找回。请在平台上重新导出相同的内容。",
      };
    case "given-up":
      return {
        what: `导出任务 ${of.exportTaskId} 已于 ${at(of.atMs)} 放弃：${reason(of.reason)}${
          of.batchTaskId === undefined ? "" : `（批量任务 ${of.batchTaskId}）`
        }`,
        advice: givenUpAdvice(of.reason),
      };
    case "damaged":
      return {
        what: `导出任务 ${of.exportTaskId} 的归档副本已损坏：${TEXTS_ZH.damages[of.damage]}（版本 ${of.revision}）`,
        advice: "请保留现有文件并查明原因。如果平台上仍有该导出任务，下次运行会重新归档。",
      };
    case "system-failing":
      return {
        what: `自 ${at(of.sinceMs)} 起连续 ${of.runs} 次运行失败：${of.failure.message}（${of.failure.code}）`,
        hint: of.failure.hint,
        advice: "故障排除前不会归档任何导出任务，也不会因此放弃任何导出任务。",
      };
    case "still-waiting":
      return {
        what: `${of.count} 个已完成的导出任务等待了一整夜；最早的是 ${of.exportTaskId}，自 ${at(of.sinceMs)} 起等待`,
        advice: "没有任何运行归档了它。请检查运行能否处理到它、尝试为何失败，并立即归档。",
      };
    case "expected-missing":
      return {
        what: `预期的导出任务未生成：规则 ${of.rule} 应在 ${at(of.byMs)} 前有 ${of.expected} 个，实有 ${of.found} 个${
          of.lastSeenMs === undefined ? "" : `；最近一个生成于 ${at(of.lastSeenMs)}`
        }`,
        advice: "归档程序无法补救。请查明原因，并重新发起导出。",
      };
    case "expected-empty":
      return {
        what: `规则 ${of.rule} 的导出任务 ${of.exportTaskId} 只有 ${of.rows} 行，少于 ${of.minRows} 行`,
        advice: "平台生成的内容就是如此，程序照常处理。请检查对应的批量任务是否执行。",
      };
    case "fewer-than-usual":
      return {
        what: `生成的导出任务少于平时：${of.found} 个，平时为 ${of.median} 个`,
        advice: "请检查批量任务是否执行，以及是否发起了导出。",
      };
    case "verification-late":
      return {
        what: `部分副本将超过 ${of.limitDays} 天未校验${
          of.missedFromMs === undefined ? "" : `，自 ${at(of.missedFromMs)} 起`
        }`,
        advice: "每日校验量不足以覆盖整个归档。请提高每日校验量，或放宽期限。",
      };
    case "drill-failed":
      return {
        what: `恢复演练失败：导出任务 ${of.exportTaskId} 无法恢复（${at(of.atMs)}）`,
        advice: "请手动执行同样的恢复。",
      };
    case "no-inventory":
      return {
        what: of.lastMs === undefined ? "尚未完成过盘点" : `最近一次完整盘点在 ${at(of.lastMs)}，已超过一天`,
        advice: "只有每日盘点才能发现损坏的副本。",
      };
    case "slots-nearly-used":
      return {
        what: `导出任务名额已用 ${of.held}/${of.limit}，均已有归档副本`,
        advice: "请检查这些导出任务为何保留：名额用尽后，新建导出任务会清除最早的一个。",
      };
    case "expected-late":
      return {
        what: `规则 ${of.rule} 的导出任务延迟：应在 ${at(of.byMs)} 前，实际生成于 ${at(of.madeAtMs)}`,
        advice: "现已齐全。如果每夜都如此，请将规则的时间调晚。",
      };
    case "dead-letters":
      return {
        what: `死信队列中有 ${of.count} 条消息`,
        advice: "请逐条移回任务队列，或予以关闭。",
      };
    case "orphans":
      return {
        what: `存储中有 ${of.count} 个没有记录的副本`,
        advice: "它们只占用存储空间，没有其他影响。",
      };
    case "left-alone":
      return {
        what: `有 ${of.count} 项内容无法识别，未作处理`,
        advice: "其余内容均照常处理。",
      };
    case "not-notified":
      return {
        what: `自 ${at(of.sinceMs)} 起无法通知 ${of.target}`,
        advice: "恢复之前，只能从本页面或其他通知渠道得知结果。",
      };
  }
}

function givenUpAdvice(reason: string): string {
  const known: Readonly<Record<string, string>> = TEXTS_ZH.givenUp;
  return Object.hasOwn(known, reason) ? (known[reason] ?? "") : TEXTS_ZH.givenUpOtherwise;
}

/** Every text in Chinese. */
export const TEXTS_ZH: Texts = {
  lang: "zh-CN",
  moments: {
    long: ({ weekday, time, ...date }) => `${day(date)}（${WEEKDAYS[weekday] ?? ""}）${time}`,
    brief: ({ time, ...date }) => `${day(date)} ${time}`,
    month: (month) => `${month}月`,
    withOffset: (moment, offset) => `${moment}（${offset}）`,
    date: ({ weekday, ...date }) => `${day(date)}（${WEEKDAYS[weekday] ?? ""}）`,
  },
  comma: "，",
  colon: "：",
  stop: "。",
  attemptReasons: ATTEMPT_WORDS_ZH,
  errorReasons: ERROR_WORDS_ZH,
  standings: {
    "given-up": "已放弃",
    waiting: "待归档",
    retried: "待重试",
    "archived-kept": "已归档，保留",
    "archived-deleted": "已归档，已删除",
    deleted: "已删除",
  },
  stops: {
    drained: "全部处理完毕",
    "time-budget": "运行时间已到",
    "system-failure": "系统故障",
    aborted: "被中断",
    "no-pressure": "占用名额较少",
  },
  damages: {
    missing: "存储中已没有该对象",
    resized: "对象大小与记录不符",
    changed: "内容与记录不符",
    "unreadable-record": "记录无法读取",
  },
  givenUp: {
    unreadable: "消息中没有导出任务 ID。请更正发送该消息的程序，然后关闭死信。",
    "export-failed": "请在控制台删除失败的导出任务，关闭死信，然后重新导出。",
    "source-gone": "无法找回。请在平台上重新导出相同的内容。",
    "never-finished": "请在控制台查看。完成后再重试。",
    "not-accepted": "请在控制台下载，检查平台返回的文件。",
    "too-large": "请调大 ARCHIVER_PART_SIZE_BYTES，然后重试。",
    "too-large-for-run": "请重试，并在没有时间限制的机器上归档。",
    "max-attempts": "请查看死信中的详细信息，然后重试。",
    "crash-loop": "请为归档程序分配更多内存，然后重试。",
  },
  givenUpOtherwise: "请查看死信中的详细信息。",
  verdict: {
    words: { act: "立即处理", none: "未运行", look: "需要查看", ok: "正常", unreported: "无报告" },
    actBefore: (moment) => `请在${moment}前处理`,
    actNow: "请立即处理",
    noRun: (last) => (last === undefined ? "尚未运行过" : `自${last}起未运行`),
    safe: (archived, finished) =>
      finished === 0 ? "没有需要归档的导出任务" : `${finished} 个导出任务中 ${archived} 个已安全归档`,
    more: (more) => `另有 ${more} 项`,
  },
  short: {
    "loss-near": (n) => `${n} 个导出任务可能丢失`,
    lost: (n) => `${n} 个导出任务已丢失`,
    "given-up": (n) => `${n} 个导出任务已放弃`,
    damaged: (n) => `${n} 个副本损坏`,
    "system-failing": () => "运行失败",
    "still-waiting": (n) => `${n} 个导出任务等待过久`,
    "expected-missing": () => "缺少预期的导出任务",
    "expected-empty": (n) => `${n} 个导出任务内容过少`,
    "fewer-than-usual": () => "导出任务少于平时",
    "verification-late": () => "副本过久未校验",
    "drill-failed": () => "恢复演练失败",
    "no-inventory": () => "一天以上未盘点",
    "slots-nearly-used": () => "导出任务名额将尽",
    "expected-late": () => "导出任务延迟",
    "dead-letters": (n) => `${n} 条死信`,
    orphans: (n) => `${n} 个孤立副本`,
    "left-alone": (n) => `${n} 项未处理`,
    "not-notified": (n) => `${n} 个通知目标未送达`,
  },
  finding,
  noRun: (last) => ({
    what: last === undefined ? "尚未完成过任何运行" : `本夜没有任何运行结束；最近一次结束于 ${last}`,
    advice: "没有归档任何导出任务。请检查定时器及其启动的程序，并手动运行一次。",
  }),
  digest: {
    needs: (n) => `有 ${n} 项需要您处理：`,
    nothingToDo: "无需处理。",
    watch: "留意",
    more: (n) => `另有 ${n} 项，见页面`,
    numbers: ({ archived, finished, deleted, kept, givenUp, waiting, retried, size, keptFor }) =>
      [
        `已归档 ${archived}/${finished}（${size}）`,
        `已删除 ${deleted}`,
        `保留 ${kept}${keptFor === "" ? "" : `（${keptFor}）`}`,
        ...(givenUp === 0 ? [] : [`已放弃 ${givenUp}`]),
        ...(waiting === 0 ? [] : [`待归档 ${waiting}`]),
        ...(retried === 0 ? [] : [`待重试 ${retried}`]),
      ].join("，"),
    runbook: (section) => `运维手册“${section}”`,
    page: "页面",
    copies: "副本",
    urgent: "此事不宜等到当夜报告。",
  },
  unknown: {
    platform: "无法查询平台",
    queue: "无法查询任务队列",
  },
  slots: {
    used: (held, limit, archived) =>
      `导出任务名额已用 ${held}/${limit}${
        archived === undefined || held === 0 ? "" : `，其中 ${archived} 个已有归档副本`
      }`,
    unknown: "导出任务名额的占用情况未知",
    seen: (slots, moment) => `${slots}（最后查看：${moment}）`,
    full: ({ least, usual }) =>
      `若不删除，${usual < 1 ? "不到一" : least === usual ? `约 ${usual} ` : `${least} 至 ${usual} `}天后用尽`,
  },
  copies: {
    kept: (oldest, limit) => `均在 ${limit} 天内校验过；最久 ${oldest} 天`,
    late: (oldest, limit) => `最久 ${oldest} 天未校验；将超过 ${limit} 天的期限`,
    unknown: "没有盘点数据",
  },
  scope: ({ project, instance }) =>
    `项目 ${project}，${instance === undefined ? "默认实例" : `实例 ${instance}`}`,
  page: PAGE_ZH,
  window: (from, to) => `${from} 至 ${to}`,
};
