//! A plan bound to this shard: the gateway's links plus the upstream pool of each target.

use std::rc::Rc;
use std::sync::Arc;

use gateway::NodeLink;
use records::metrics::Series;

/// What requests run on until the next commit; requests in flight keep theirs.
pub(crate) struct Linked {
    pub(crate) node: Rc<NodeLink>,
    /// Pool of each target, by target index.
    pub(crate) pools: Vec<u32>,
    /// Numbers of each stage, by stage index.
    pub(crate) series: Vec<Arc<Series>>,
}
