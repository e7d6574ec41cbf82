use planner::performance::{runs, calibration::{self, Split}};
use std::collections::BTreeMap;
fn main(){
  let path=std::env::args().nth(1).unwrap();
  let r=runs::read(std::fs::File::open(path).unwrap()).unwrap();
  let mut why:BTreeMap<String,Vec<String>>=BTreeMap::new();
  for x in &r.refused { why.entry(x.reason.clone()).or_default().push(x.id.clone()); }
  for (k,v) in &why { println!("refused {:3} {} e.g. {}",v.len(),k,v[0]); }
  let splits: Vec<Split> = match std::env::args().nth(2).as_deref(){ Some("fit")=>vec![Split::None], _=>vec![Split::None,Split::Folds,Split::Sources]};
  for s in splits {
    let t=std::time::Instant::now();
    let a=calibration::cross_validate(&r.runs,s);
    println!("== {s:?} {:?}",t.elapsed());
    let mut by:BTreeMap<String,Vec<(f64,String)>>=BTreeMap::new();
    for (run,p) in r.runs.iter().zip(&a){ if let Some(p)=p { let e=p.error.exp()-1.0;
       let key=run.id.trim_start_matches("P-").rsplit_once('-').unwrap().0.to_owned();
       by.entry(key).or_default().push((e,run.id.clone())); by.entry("ALL".into()).or_default().push((e,run.id.clone()));
       if run.grade=="A" && run.training.transformer().is_some() { by.entry("ALL-A".into()).or_default().push((e,run.id.clone()));} } }
    for (k,v) in &mut by { v.sort_by(|a,b|a.0.abs().total_cmp(&b.0.abs())); let n=v.len() as f64;
      let mape=v.iter().map(|x|x.0.abs()).sum::<f64>()/n; let bias=v.iter().map(|x|x.0).sum::<f64>()/n;
      println!("{k:24} n {:4} mape {:6.1} med {:5.1} p90 {:5.1} bias {:5.1} worst {:.0}% {}",v.len(),mape*100.,v[v.len()/2].0.abs()*100.,v[(v.len()*9/10).min(v.len()-1)].0.abs()*100.,bias*100., v.last().unwrap().0*100., v.last().unwrap().1); }
    if std::env::args().nth(3).is_some() { let pre=std::env::args().nth(3).unwrap(); for (run,p) in r.runs.iter().zip(&a){ if let Some(p)=p { if run.id.contains(&pre) { println!("{} {} {} {} gb{} {:?} err {:.1}%",run.id,run.model,run.training.cluster.device,run.training.strategy,run.training.global_batch,run.training.precision,(p.error.exp()-1.)*100.);}}}}
  }
  if let Some(_)=std::env::args().nth(2) { let f=calibration::fit(&r.runs,|_|true);
    for (g,d) in &f.deviations { println!("{g:60} {}",d.iter().map(|x|format!("{x:5.2}")).collect::<Vec<_>>().join(" ")); } }
}
