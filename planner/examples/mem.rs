use planner::performance::{runs::{self,Measured}, training::{self,memory}};
fn main(){ let r=runs::read(std::fs::File::open(std::env::args().nth(1).unwrap()).unwrap()).unwrap();
 for run in &r.runs { if let Measured::PeakBytes(b)=run.measured { let s=training::lower(&run.training).unwrap(); let m=memory::of(&run.training,&s); let g=1073741824.0;
  println!("{} {} {} s{} {:?} meas {:.2} pred {:.2} ({:+.1}%) | {}",run.id,run.model,run.training.strategy,run.training.tokens_per_record(),run.training.precision,b/g,m.total()/g,(m.total()/b-1.)*100., m.parts().iter().map(|(n,v)|format!("{n} {:.2}",v/g)).collect::<Vec<_>>().join(" ")); } } }
