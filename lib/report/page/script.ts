/**
 * The script of the page: after 26 hours it says how old the page is, above everything else. It reads the moment and its
 * words from the page, so it is the same in each.
 */
export const SCRIPT = `(function(){
var d=document,r=d.documentElement,o=d.getElementById("old"),m=d.getElementById("page"),t=Date.parse(r.dataset.made),n=d.title,c=o.classList;
function look(){
var h=Math.floor((Date.now()-t)/36e5),a;
if(!(h>=26))return;
a=h<48?o.dataset.hours.replace("{n}",h):o.dataset.days.replace("{n}",Math.floor(h/24));
d.getElementById("age").textContent=a;d.title=a+" \\u00b7 "+n;r.classList.add("old");
if(o.hidden){o.hidden=false;cover()}
}
function cover(){m.inert=c.contains("cover")&&!c.contains("seen")}
d.getElementById("show").onclick=function(){c.add("seen");cover()};
look();setInterval(look,6e4);d.addEventListener("visibilitychange",look)
})()`.replaceAll("\n", "");
