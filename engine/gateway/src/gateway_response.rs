//! Refusals as answers: the built-in gateway responses.
//!
//! AWS: "Gateway responses in API Gateway". Every one has the request's ids and `x-amzn-ErrorType`, none has a trace id
//! (recorded).

use codec::h1::encode;
use context::Exchange;
use vocabulary::Refusal;

use crate::answer::{Answer, AnswerBody};

/// What every body has that nothing else describes.
pub(crate) const JSON: &[u8] = b"application/json";

/// Answers with a refusal, at any point of an exchange. What an answer had begun to say is taken back.
pub fn refuse(exchange: &mut Exchange, refusal: &Refusal) -> Answer {
    exchange.answer.clear();
    encode::field(&mut exchange.answer, b"Content-Type", JSON);
    write_ids(exchange);
    encode::field(&mut exchange.answer, b"x-amzn-ErrorType", refusal.error_type.as_bytes());
    exchange.status = refusal.status;
    exchange.refusal = Some(refusal.clone());
    let mut body = Vec::with_capacity(64);
    refusal.write_body(&mut body);
    Answer { status: refusal.status, body: AnswerBody::Owned(body) }
}

/// Appends `x-amzn-RequestId` and `x-amz-apigw-id`, which every answer has.
pub(crate) fn write_ids(exchange: &mut Exchange) {
    encode::field(&mut exchange.answer, b"x-amzn-RequestId", &exchange.request_id.0);
    encode::field(&mut exchange.answer, b"x-amz-apigw-id", &exchange.extended_request_id.0);
}
