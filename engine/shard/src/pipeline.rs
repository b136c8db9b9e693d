//! Runs gateway pipelines in slots that are used again and again: no box per request.
//!
//! The future of a pipeline has a type that can't be named, so a slot holds it behind [`Pipeline`]; setting a new
//! future drops the old one in place.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use context::Exchange;
use gateway::{Answer, NodeLink};

use crate::door::{Door, Near};

/// What a pipeline leaves behind.
pub(crate) struct Finished {
    pub(crate) exchange: Box<Exchange>,
    pub(crate) answer: Answer,
}

/// A place where one pipeline runs at a time.
pub(crate) trait Pipeline {
    /// Begins an exchange. Nothing runs until [`poll`](Self::poll).
    fn start(&mut self, door: Rc<Door>, node: Rc<NodeLink>, exchange: Box<Exchange>);
    /// Runs until the pipeline waits for its door or is finished.
    fn poll(&mut self) -> Poll<Finished>;
    /// Drops what is running (after a panic).
    fn abandon(&mut self);
    /// Bytes that the place takes.
    fn bytes(&self) -> usize;
}

struct Place<F, M> {
    future: Pin<Box<Option<F>>>,
    make: M,
}

impl<F, M> Pipeline for Place<F, M>
where
    F: Future<Output = Finished>,
    M: Fn(Rc<Door>, Rc<NodeLink>, Box<Exchange>) -> F,
{
    fn start(&mut self, door: Rc<Door>, node: Rc<NodeLink>, exchange: Box<Exchange>) {
        let future = (self.make)(door, node, exchange);
        self.future.as_mut().set(Some(future));
    }

    fn poll(&mut self) -> Poll<Finished> {
        let Some(future) = self.future.as_mut().as_pin_mut() else { return Poll::Pending };
        let outcome = future.poll(&mut Context::from_waker(Waker::noop()));
        if outcome.is_ready() {
            self.future.as_mut().set(None);
        }
        outcome
    }

    fn abandon(&mut self) {
        self.future.as_mut().set(None);
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + size_of::<Option<F>>()
    }
}

/// A place for the live pipeline.
pub(crate) fn place() -> Box<dyn Pipeline> {
    let make = |door: Rc<Door>, node: Rc<NodeLink>, mut exchange: Box<Exchange>| async move {
        let answer = gateway::serve(&Near(door), &node, &mut exchange).await;
        Finished { exchange, answer }
    };
    Box::new(Place { future: Box::pin(None), make })
}
