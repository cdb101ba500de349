/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what was learnt to lines of a policy. Nothing is proposed that was not seen, but for the
 * addresses between the lowest and the highest that were read, in one data block, class of objects
 * or module; what was written is exact: a conduit joins clients that asked the same of a server,
 * and servers that were asked the same by the same clients.
 */
#ifndef SEKISHO_MGMT_CLI_LEARN_PROPOSE_H
#define SEKISHO_MGMT_CLI_LEARN_PROPOSE_H

#include "mgmt/cli/cli.h"
#include "mgmt/cli/learn/learnt.h"
#include "policy/check/model.h"
#include "policy/ir/ir.h"
#include "policy/read/ast.h"

/*
 * On c->out: a whole policy, or with `model`, `ir` and `groups` of one, services and conduits for
 * it that it lacks, whose hosts have its names; under --json one object.
 * `from`: what was read, for people. Of `l` sessions of which nothing told the protocol are joined
 * with those where something did. *ret_nothing: there was nothing to propose, so that what was
 * written is no policy. False when memory is out.
 */
bool propose(struct cli *c, struct learnt *l, const struct model *model, struct ir *ir, const struct ast_node *groups,
	     const char *from, bool *ret_refused);

#endif
