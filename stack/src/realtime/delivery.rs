//! Who hears of a change, and what they are told.
//!
//! A row of `realtime.messages` is a broadcast that the database sent. Of every other table each listener
//! gets what its role may see, once for all its subscriptions that ask for the same columns.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    change::{Change, Operation, Picture},
    frame::{Body, Message},
    hub::{Hub, Listener, Room},
    store::{Assessment, Known, Store},
    subscription::Subscription,
};

/// What passes changes on.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) hub: Arc<Hub>,
    pub(super) store: Store,
}

impl Delivery {
    /// Tells everybody who wants to hear of a change and may.
    pub(super) async fn deliver(
        &self,
        change: &Change,
        committed: &str,
        known: &mut Known,
    ) -> sqlx::Result<()> {
        if (change.relation.schema.as_str(), change.relation.table.as_str()) == ("realtime", "messages") {
            self.broadcast(change);
            return Ok(());
        }
        let mut listeners = self.hub.listeners();
        listeners.retain(|listener| listener.subscriptions.iter().any(|wish| wish.wants(change)));
        if listeners.is_empty() {
            return Ok(());
        }
        let Some(assessment) = self.store.assess(change, &listeners, known).await? else { return Ok(()) };
        for (listener, message) in tell(change, committed, &listeners, &assessment) {
            self.hub
                .send(listener.member, |room| Message::new(&room.full_topic(), "postgres_changes", message));
        }
        Ok(())
    }

    fn broadcast(&self, change: &Change) {
        if change.operation == Operation::Insert
            && let Some((room, payload, id)) = stored(change)
        {
            self.hub.broadcast_stored(&room, &Body::Json(payload), &id);
        }
    }
}

/// What each listener is told.
fn tell<'a>(
    change: &Change,
    committed: &str,
    listeners: &'a [Listener],
    assessment: &Assessment,
) -> Vec<(&'a Listener, Value)> {
    let Assessment { facts, roles, seen, .. } = assessment;
    let (new, old) = (assessment.new.clone(), assessment.old.clone());
    let picture = Picture { change, facts, committed, new, old };
    let mut told = vec![];
    for (listener, seen) in listeners.iter().zip(seen) {
        let Some(role) = roles.iter().position(|role| *role == listener.role) else { continue };
        let wishes = &listener.subscriptions;
        if let Some(refusal) = picture.refusal(role) {
            // Nobody is asked whether they see it, and no filter is tried: there is nothing to be seen.
            for group in by_columns(wishes.iter().filter(|wish| wish.wants(change))) {
                told.push((listener, json!({"ids": ids(&group), "data": refusal})));
            }
            continue;
        }
        for group in by_columns(seen.iter().filter_map(|at| wishes.get(*at))) {
            let select = group.first().and_then(|wish| wish.select.as_deref());
            let data = picture.show(role, select);
            told.push((listener, json!({"ids": ids(&group), "data": data})));
        }
    }
    told
}

/// Wishes for the same columns, together, in the order they were made.
fn by_columns<'a>(wishes: impl Iterator<Item = &'a Subscription>) -> Vec<Vec<&'a Subscription>> {
    let mut groups: Vec<Vec<&Subscription>> = vec![];
    for wish in wishes {
        match groups.iter_mut().find(|group| group.iter().any(|other| other.select == wish.select)) {
            Some(group) => group.push(wish),
            None => groups.push(vec![wish]),
        }
    }
    groups
}

fn ids(group: &[&Subscription]) -> Vec<u32> {
    group.iter().map(|wish| wish.id).fold(vec![], |mut ids, id| {
        if !ids.contains(&id) {
            ids.push(id);
        }
        ids
    })
}

/// A row of `realtime.messages` as it is broadcast; `None` if it lacks what a broadcast needs.
fn stored(change: &Change) -> Option<(Room, Value, String)> {
    let text = |name: &str| change.value(name).flatten();
    let room = Room { topic: text("topic")?.to_owned(), is_private: text("private")? == "t" };
    let (id, event) = (text("id")?.to_owned(), text("event")?);
    let payload: Value = serde_json::from_str(text("payload")?).ok()?;
    let payload = json!({"type": "broadcast", "event": event, "payload": payload, "meta": {"id": id}});
    Some((room, payload, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(select: Option<&[&str]>, event: &str) -> Subscription {
        let mut wish = json!({"schema": "public", "table": "t", "event": event});
        if let Some(select) = select {
            wish["select"] = json!(select);
        }
        Subscription::read(wish.as_object().unwrap()).unwrap()
    }

    #[test]
    fn wishes_for_the_same_columns_are_told_once() {
        let wishes = [wish(None, "*"), wish(Some(&["a"]), "*"), wish(None, "INSERT"), wish(None, "*")];
        let groups = by_columns(wishes.iter());
        let numbers: Vec<_> = groups.iter().map(|group| ids(group)).collect();
        assert_eq!(numbers[0], [wishes[0].id, wishes[2].id], "and those that are the same have one number");
        assert_eq!(numbers[1], [wishes[1].id]);
    }
}
