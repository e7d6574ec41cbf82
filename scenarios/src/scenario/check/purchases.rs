//! How nodes are paid for.

use super::machines::Offer;
use super::{Check, sites};
use crate::diagnostics::Diagnostic;
use crate::scenario::{Capital, Pool, Reserved};
use crate::yaml::Located;

pub(super) fn check(check: &mut Check<'_>, pool: &Pool, offer: Offer<'_>, at: &Located<'_>) {
    let purchase = at.key("purchase");
    if let Some(owned) = &pool.purchase.owned {
        let place = purchase.key("owned");
        check.expect_one_of("the price", &["price", "capital"], &place, "price: 1.20 USD/h");
        if let Some(made_of) = &owned.capital {
            capital(check, made_of, &place.key("capital"));
        }
    }
    if let Some(terms) = &pool.purchase.reserved {
        reserved(check, terms, pool, &purchase.key("reserved"));
    }
    on_demand(check, pool, offer, at);
    spot(check, pool, offer, &purchase.key("spot"));
}

/// A machine of one's own is written off over some time of use.
fn capital(check: &mut Check<'_>, capital: &Capital, at: &Located<'_>) {
    if capital.life.get() == 0.0 {
        let help = "write for example `life: 1460d`, four years";
        check.wrong(&at.key("life"), "the machine is written off over no time", "no time at all", help);
    }
    if capital.utilization <= 0.0 || capital.utilization > 1.0 {
        let help = "write 0.6 for a machine that works three days of five";
        check.wrong(&at.key("utilization"), "the utilization is a share above 0 up to 1", "outside", help);
    }
    sites::expect_pue(check, capital.pue, &at.key("pue"));
}

fn reserved(check: &mut Check<'_>, reserved: &Reserved, pool: &Pool, at: &Located<'_>) {
    if reserved.term.get() == 0.0 {
        check.wrong(&at.key("term"), "the commitment has no term", "no time at all", "write for example `term: 365d`");
    }
    if !at.key("price").is_stated() && !at.key("upfront").is_stated() && check.is_sound(at) {
        let problem = Diagnostic::new(at.key_span(), "the price of the commitment is not given", "does not say");
        check.tell(problem.help("add `price: 1.20 USD/h`, an `upfront` payment, or both"));
    }
    let most = pool.quota.iter().map(|quota| quota.nodes).chain([pool.nodes]).max().unwrap_or_default();
    if let Some(nodes) = reserved.nodes.filter(|nodes| *nodes > most && check.is_sound(&at.key("nodes"))) {
        let message = format!("{nodes} nodes are reserved, and the pool has at most {most}");
        check.wrong(&at.key("nodes"), message, "too many", format!("write at most {most}"));
    }
}

/// What is not bought in another way is bought on demand, at a price that someone states.
fn on_demand(check: &mut Check<'_>, pool: &Pool, offer: Offer<'_>, at: &Located<'_>) {
    let listed = match offer {
        Offer::Unknown => return,
        Offer::NotSold => None,
        Offer::Sold(instance) => instance.on_demand_usd_per_hour,
    };
    let purchase = &pool.purchase;
    let alone = purchase.owned.is_none() && purchase.spot.is_none() && purchase.reserved.is_none();
    let problem = match &purchase.on_demand {
        _ if listed.is_some() => return,
        Some(on_demand) if on_demand.price.is_some() => return,
        None if alone => {
            let problem = Diagnostic::new(at.key_span(), "the price of this pool is not known", "no price");
            problem.help("add `purchase: {owned: {price: 1.20 USD/h}}`, or a price under `on_demand`")
        }
        None => return,
        Some(_) => {
            let place = at.key("purchase").key("on_demand").key_span();
            let problem = Diagnostic::new(place, "the price on demand is not known", "no price");
            problem.help("add `price: 1.20 USD/h`, or remove `on_demand`")
        }
    };
    if check.is_sound(&at.key("purchase")) {
        check.tell(problem);
    }
}

/// A spot market has a price, and a rate at which it takes nodes back.
fn spot(check: &mut Check<'_>, pool: &Pool, offer: Offer<'_>, at: &Located<'_>) {
    let Some(spot) = &pool.purchase.spot else { return };
    let (price, rate) = match offer {
        Offer::Unknown => return,
        Offer::NotSold => (None, None),
        Offer::Sold(instance) => {
            let place = (instance.provider.as_str(), instance.region.as_str());
            let rate = check.catalog.interruptions(place.0, place.1, &instance.instance_type);
            (instance.spot_usd_per_hour, rate)
        }
    };
    let missing = [
        (spot.price.is_none() && price.is_none(), "the spot price is not known", "price: 0.40 USD/h"),
        (
            spot.interruptions.is_none() && rate.is_none(),
            "it is not known how often spot nodes are taken away",
            "interruptions: 0.1 /d",
        ),
    ];
    let sound = check.is_sound(at);
    for (_, message, example) in missing.into_iter().filter(|(is_missing, ..)| *is_missing && sound) {
        let problem = Diagnostic::new(at.key_span(), message, "the catalogue does not say");
        check.tell(problem.help(format!("add `{example}`, or remove `spot`")));
    }
}
