//! The meeting desk, on the inside face: a plain room of this node, entered by those who are signed in here and by guests of
//! other authorities, each by a one-time link.
//!
//! Who somebody is, stands in the session: nobody types a name, and whose session ends leaves ([`departures`]). A token for the engine exists only after somebody pressed the
//! button that enters. The desk never touches sound or pictures: [`carrier`] says who carries them. The public face has nothing
//! at these addresses.

mod attendee;
pub mod carrier;
pub mod departures;
pub mod guest;
mod page;
pub mod pages;

pub use carrier::Carrier;
