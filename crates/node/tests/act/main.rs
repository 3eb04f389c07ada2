//! A release is one act: on real databases and files, cut off at every write, and many at once.

mod again;
mod cut_off;
mod editions;
mod home;
mod keys;
mod limits;
mod policy;
mod unread;
