//! What the desk shows: its own page with the invitation of guests, and the page of the room.

use askama::Template;
use serde_json::json;

use super::attendee::Attendee;
use crate::i18n::room_messages;
use crate::layout::asset::{self, Asset};
use crate::layout::component::{Control, Facts, Field, alarm_panel, empty};
use crate::layout::{Markup, Page};

/// The desk's own page.
#[derive(Template)]
#[template(path = "desks/meetings/templates/desk.html")]
pub struct DeskPage {
    page: Page,
    fault: Option<Markup>,
    /// The room, or that there is none.
    room: Markup,
    /// Whether there is a room that can be entered.
    open: bool,
    fields: Vec<Field>,
    /// A link that was just made, with whom it is for.
    link: Option<(String, String)>,
}

/// What was filled in to invite a guest.
#[derive(Default)]
pub struct Invitation {
    /// The authority's DNS name.
    pub guest: String,
    /// The duty.
    pub duty: String,
}

/// Builds the desk's page. `peers` are those of whom somebody can be a guest: DNS name and shown name.
pub fn desk_page(
    page: Page,
    engine: Option<&str>,
    peers: Vec<(String, String)>,
    filled: &Invitation,
    fault: Option<&str>,
    link: Option<(String, String)>,
) -> DeskPage {
    let t = &page.t;
    let room = match engine {
        None => empty(&t.meetings_none_title(), &t.meetings_none_text(), None),
        Some(engine) => Markup::of(
            &Facts::default()
                .with(t.meetings_room(), Markup::text(t.meetings_plain()))
                .with(t.meetings_may_enter(), Markup::text(t.meetings_may_enter_text()))
                .with(t.meetings_carried_by(), Markup::text(engine)),
        ),
    };
    let fields = if engine.is_none() || peers.is_empty() {
        Vec::new()
    } else {
        vec![
            Field::new(t, "guest", t.meetings_guest_of(), Control::Select(peers)).value(&filled.guest),
            Field::new(t, "duty", t.meetings_duty(), Control::Input("text"))
                .value(&filled.duty)
                .hint(t.meetings_duty_hint())
                .optional(),
        ]
    };
    let fault = fault.map(|text| alarm_panel(&t.import_fault(), &[Markup::text(text)]));
    DeskPage { open: engine.is_some(), fault, room, fields, link, page }
}

/// The room: the frame of the window, and the data that the script works with. Everything else is the script's.
#[derive(Template)]
#[template(path = "desks/meetings/templates/room.html")]
pub struct RoomPage {
    page: Page,
    style: &'static Asset,
    script: &'static Asset,
    data: String,
    back: String,
    /// The secret of the form by which a guest signs out. Others do that where they signed in.
    guest: Option<String>,
}

impl RoomPage {
    /// The page for somebody. `back` is where leaving leads.
    pub fn new(page: Page, attendee: &Attendee, back: String, is_guest: bool) -> Self {
        let lang = page.t.lang();
        let data = json!({
            "lang": lang.code(),
            "fluent": room_messages(lang),
            "token": "/meetings/room/token",
            "back": &back,
            "csrf": attendee.csrf,
            "own": { "name": attendee.name(lang.code()), "code": attendee.code, "duty": attendee.duty },
        });
        Self {
            page,
            style: &asset::ROOM_CSS,
            script: &asset::ROOM_JS,
            data: in_a_script_element(&data),
            back,
            guest: is_guest.then(|| attendee.csrf.clone()),
        }
    }
}

/// JSON that stands in a `script` element: nothing in it can end the element, or begin a comment.
fn in_a_script_element(data: &serde_json::Value) -> String {
    data.to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_end_its_element() {
        let data = json!({ "duty": "</script><script>alert(1)</script><!--" });
        let text = in_a_script_element(&data);
        assert!(!text.contains('<'), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), data);
    }
}
