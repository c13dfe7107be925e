/** The style of the page. Everything in it is ours: no value of a night ever stands here. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#f5f6f8;--card:#fff;--ink:#1a1f26;--soft:#515b66;--line:#d3d9e0;--code:#eef1f4;
--act:#b3261e;--look:#855300;--ok:#186a3b;--none:#5b2a86;--off:#5a636d;--bar:#9fb3c8}
@media (prefers-color-scheme:dark){:root{--bg:#0f1318;--card:#181e25;--ink:#e6ebf1;--soft:#a3afbc;--line:#313b47;--code:#232b34;
--act:#ff9187;--look:#f0b84d;--ok:#62d08d;--none:#cda5f3;--off:#a3afbc;--bar:#47607a}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI","PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC",sans-serif;overflow-wrap:anywhere}
main{max-width:74rem;margin:0 auto;padding:0 1rem}
h1,h2,h3,p,ol,ul,dl,dd,pre{margin:0;padding:0}
h1{font-size:1.5rem;line-height:1.25;font-weight:700}
h2{font-size:1.125rem;margin:2rem 0 .625rem}
.m{width:1em;height:1em;fill:currentColor;flex:none;vertical-align:-.125em}
.sprite{position:absolute}
.act{color:var(--act)}.look{color:var(--look)}.ok{color:var(--ok)}.none{color:var(--none)}.unreported{color:var(--off)}
.soft{color:var(--soft)}
a{color:inherit}
a:focus-visible,summary:focus-visible,button:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
.verdict{color:#fff;padding:1.25rem 0;margin-bottom:1rem}
.verdict>div{max-width:74rem;margin:0 auto;padding:0 1rem}
.verdict h1{display:flex;gap:.625rem;align-items:flex-start}
.verdict h1 .m{margin-top:.125em;color:#fff}
.verdict .of{margin-top:.375rem;font-size:.875rem}
.v-act{background:#a3211a}.v-none{background:#5b2a86}.v-look{background:#7a4c00}.v-ok{background:#17643a}
.answers{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem}
.answers dt{font-weight:600}
.card,.tiles>div{background:var(--card);border:1px solid var(--line);border-radius:.5rem}
.card{padding:.75rem 1rem}
.list{list-style:none;display:grid;gap:.625rem}
.list li{background:var(--card);border:1px solid var(--line);border-left:.375rem solid;border-radius:.375rem;padding:.75rem 1rem}
.list li>*{color:var(--ink)}
.list .what{font-weight:600;display:flex;gap:.5rem;align-items:flex-start}
.list .what .m{margin-top:.25em}
.what .act{color:var(--act)}.what .look{color:var(--look)}.what .none{color:var(--none)}.what .unreported{color:var(--off)}
.watch .what{font-weight:400}
pre{background:var(--code);border-radius:.25rem;padding:.375rem .625rem;margin-top:.375rem;white-space:pre-wrap}
code,.id{font-family:ui-monospace,SFMono-Regular,Consolas,"Liberation Mono",monospace;font-size:.875em}
pre code{-webkit-user-select:all;user-select:all}
.list .more{font-size:.875rem;color:var(--soft);margin-top:.25rem}
.tiles{display:grid;grid-template-columns:repeat(2,1fr);gap:.625rem}
.tiles>div{padding:.75rem 1rem}
.tiles dt{font-size:.875rem;color:var(--soft)}
.tiles .n{font-size:1.5rem;font-weight:700;line-height:1.3;font-variant-numeric:tabular-nums}
.tiles .of{font-size:.875rem;color:var(--soft)}
.nights{list-style:none;display:grid;grid-template-columns:repeat(10,1fr);gap:.5rem 0}
.nights li{text-align:center;font-size:.75rem;color:var(--soft)}
.nights a,.nights span{display:block;text-decoration:none;border-radius:.25rem;padding:.125rem 0}
.nights a:hover{background:var(--code)}
.nights b,.nights i{font-weight:400;font-style:normal;display:block;line-height:1.25}
.nights [aria-current]{outline:2px solid var(--ink);color:var(--ink)}
.nights [aria-current] b,.nights [aria-current] i{font-weight:700}
.nights svg{width:100%;height:5rem;display:block}
.nights .bar{fill:var(--bar)}.nights .limit{stroke:var(--soft);stroke-dasharray:2 2}.nights .base{stroke:var(--line)}
.nights use,.nights circle{fill:currentColor}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin-top:.625rem;font-size:.875rem}
table{width:100%;border-collapse:collapse;font-size:.875rem;background:var(--card)}
.table{border:1px solid var(--line);border-radius:.5rem;overflow:hidden;background:var(--card)}
th,td{padding:.375rem .75rem;text-align:left;vertical-align:baseline;border-top:1px solid var(--line);font-weight:400}
thead th{border-top:0;color:var(--soft);font-size:.8125rem}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.time{white-space:nowrap;font-variant-numeric:tabular-nums}
.state{min-width:9rem}.state .soft{display:block}
caption{text-align:left;padding:.5rem .75rem;font-weight:600}
details{margin-top:.625rem}
summary{cursor:pointer;padding:.5rem 0;font-weight:600}
.facts{display:grid;grid-template-columns:minmax(8rem,16rem) 1fr;gap:.25rem 1rem;font-size:.875rem}
.facts dt{color:var(--soft)}
main{padding-bottom:3rem}
.hide{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
#old{background:#fff3b0;color:#1a1f26;border-bottom:.25rem solid #1a1f26;padding:1rem;text-align:center}
#old strong{display:block;font-size:1.5rem;line-height:1.3}
#old button{font:inherit;color:#fff;background:#1a1f26;border:0;border-radius:.375rem;padding:.625rem 1.25rem;margin-top:1rem;cursor:pointer}
#old[hidden],.seen button{display:none}
#old.cover:not(.seen){position:fixed;inset:0;z-index:1;overflow:auto;display:grid;place-content:center;justify-items:center;gap:.5rem}
#old.cover:not(.seen)[hidden]{display:none}
#old.cover:not(.seen) strong{font-size:2.25rem}
.old .verdict{background:#4d5660}
.old main{filter:grayscale(1)}
@media (min-width:34rem){.tiles{grid-template-columns:repeat(3,1fr)}.nights{grid-template-columns:repeat(15,1fr)}}
@media (min-width:62rem){.tiles{grid-template-columns:repeat(6,1fr)}.nights{grid-template-columns:repeat(30,1fr)}h1{font-size:1.75rem}}
@media screen and (max-width:63.99rem){
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody,tr,th,td,caption{display:block}
tr{border-top:1px solid var(--line);padding:.5rem 0}
tbody th,td{border:0;padding:.125rem .75rem;text-align:left;white-space:normal}
.num{text-align:left}
td[data-l]:empty{display:none}
td[data-l]::before,th[data-l]::before{content:attr(data-l);color:var(--soft);display:inline-block;min-width:6.5rem;padding-right:.5rem;font:.875rem/1.5 system-ui,sans-serif}
.state .soft{display:inline}
}
@media screen and (max-width:33.99rem){.facts{grid-template-columns:1fr}.facts dd{margin-bottom:.375rem}}
@media screen and (min-width:34rem) and (max-width:63.99rem){tbody tr{display:grid;grid-template-columns:1fr 1fr}}
@media (max-width:26rem){.answers{display:block}.answers dt,.answers dd{display:inline}.answers dt::after{content:" · "}.answers dd:not(:last-child)::after{content:"\\a";white-space:pre}}
@media print{:root{color-scheme:light;--bg:#fff;--card:#fff;--ink:#000;--soft:#333;--line:#999;--code:#fff;--act:#8a1a14;--look:#6b4300;--ok:#0f5a2f;--none:#4a2070;--off:#333;--bar:#bbb}
.verdict,.old .verdict{background:#fff;color:#000;border:2px solid #000}.verdict h1 .m{color:#000}
#old.cover:not(.seen){position:static;display:block}#old button{display:none}
details::details-content{content-visibility:visible;block-size:auto}
table{font-size:.6875rem}th,td{padding:.2rem .3rem}.time{white-space:normal}.state{min-width:5rem}.id{font-size:.625rem}tr,li,.tiles>div{break-inside:avoid}h2{break-after:avoid}pre{border:1px solid #999}}
@media (forced-colors:active){.verdict,.list li{border:2px solid}.m,.nights use{fill:CanvasText}.nights .bar{fill:GrayText}}
`.replaceAll("\n", "");
