#include "advice.h"

static const struct {
    struct text kind, advice;
} advices[] = {
    {TEXT_INIT("user"), TEXT_INIT("deny or deactivate the user by hand")},
    {TEXT_INIT("role-session"),
     TEXT_INIT("revoke the role's sessions in IAM (\"Revoke sessions\" of the role)")},
    {TEXT_INIT("sso-session"),
     TEXT_INIT("its role can't be edited here: disable the user in IAM Identity Center and deny it "
               "by a service control policy for 12 hours")},
    {TEXT_INIT("service-linked"),
     TEXT_INIT("a service-linked role can't be denied: look at who directs the service")},
    {TEXT_INIT("federated"),
     TEXT_INIT("no IAM user of the account opened the session: cut it off where it was opened")},
    {TEXT_INIT("root"),
     TEXT_INIT("only a service control policy restrains a member account's root: attach one from "
               "the management account, then change root's password and delete its keys")},
    {TEXT_INIT("service"), TEXT_INIT("an AWS service did it: look at who configured it")},
    {TEXT_INIT("external"),
     TEXT_INIT("it belongs to another account: close the trust or resource policy that lets it "
               "in, and revoke the sessions of the role that it took")},
};

struct text advice_for(struct text kind) {
    for (size_t i = 0; i < ARRAY_COUNT(advices); i++) {
        if (text_equal(advices[i].kind, kind)) {
            return advices[i].advice;
        }
    }
    return TEXT("the record doesn't say who did it: look it up in CloudTrail by its eventID");
}
