//! Operations that hardly anybody uses and that mean nothing here: AWS's error for what a region doesn't have.

use crate::call::{Call, Reply};
use crate::error::Error;
use crate::operation::Operation;

const ASSOCIATIONS: &str = "/domainnameaccessassociations";

/// Operations that are refused.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateDomainNameAccessAssociation", "POST", ASSOCIATIONS, refuse),
    Operation::new("GetDomainNameAccessAssociations", "GET", ASSOCIATIONS, refuse),
    Operation::new(
        "DeleteDomainNameAccessAssociation",
        "DELETE",
        "/domainnameaccessassociations/{domain_name_access_association_arn+}",
        refuse,
    ),
    Operation::new(
        "RejectDomainNameAccessAssociation",
        "POST",
        "/rejectdomainnameaccessassociations",
        refuse,
    ),
];

fn refuse(call: &mut Call<'_>) -> Result<Reply, Error> {
    Err(Error::bad_request(format!("{} is not supported", call.operation)))
}
