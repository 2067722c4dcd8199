// SPDX-License-Identifier: Apache-2.0

extension ReportPage {
  /// How the page looks: one column, tables that scroll by themselves, figures for two widths.
  static let style = """
    :root{color-scheme:light}*{box-sizing:border-box}
    body{margin:0 auto;max-width:900px;padding:12px 16px 48px;color:#222;background:#fff;
    font:16px/1.45 Helvetica,Arial,sans-serif;overflow-wrap:anywhere}
    h1{font-size:1.5rem;margin:.4em 0}h2{font-size:1.15rem;margin:2em 0 .5em}
    p{margin:.5em 0}.facts,small,.command{color:#555;font-size:.85rem}
    svg{display:block;width:100%;height:auto;max-width:860px}
    .narrow{display:none}.scroll{overflow-x:auto;border:1px solid #ddd}
    table{border-collapse:collapse;font-size:.85rem;width:100%;overflow-wrap:normal}
    th,td{padding:5px 9px;text-align:right;white-space:nowrap;border-bottom:1px solid #eee}
    th[scope=row],thead th:first-child{text-align:left;position:sticky;left:0;background:#fff}
    thead th{background:#f4f6f8;cursor:pointer}thead th:first-child{background:#f4f6f8}
    th[aria-sort=ascending]::after{content:" ▲"}th[aria-sort=descending]::after{content:" ▼"}
    tr.base td,tr.base th{background:#f7f7f7}
    pre{white-space:pre-wrap;background:#f4f6f8;padding:8px 10px;margin:.5em 0}
    summary{cursor:pointer}ul{padding-left:1.2em}
    .strip{display:flex;flex-wrap:wrap;gap:6px;margin:.4em 0 1em}
    .strip figure{margin:0;width:calc(20% - 5px);min-width:110px}
    .strip img{width:100%;height:auto;display:block}figcaption{font-size:.78rem;color:#555}
    @media(max-width:640px){.wide{display:none}.narrow{display:block}body{padding:8px 12px 32px}
    th[scope=row]{max-width:38vw;overflow:hidden;text-overflow:ellipsis}
    .strip figure{width:calc(50% - 3px)}}
    @media print{.narrow{display:none}.wide{display:block}}
    """

  /// Sorts a table by the column whose heading is pressed.
  static let script = """
    document.querySelectorAll('table.sortable').forEach(t=>{
    const heads=[...t.querySelectorAll('thead th')],body=t.tBodies[0];
    const value=(r,i)=>{const c=r.cells[i],v=c.dataset.v;
    return v===undefined?c.textContent:parseFloat(v)};
    heads.forEach((h,i)=>{const sort=()=>{const up=h.getAttribute('aria-sort')!=='ascending';
    heads.forEach(o=>o.removeAttribute('aria-sort'));
    h.setAttribute('aria-sort',up?'ascending':'descending');
    [...body.rows].sort((a,b)=>{const x=value(a,i),y=value(b,i),n=typeof x==='number',
    m=typeof y==='number';if(n!==m)return n?-1:1;
    return (up?1:-1)*(n?x-y:x.localeCompare(y))}).forEach(r=>body.append(r))};
    h.addEventListener('click',sort);
    h.addEventListener('keydown',e=>{if(e.key==='Enter')sort()})})});
    """
}
