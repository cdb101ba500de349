/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes lines of a policy from learnt traffic. It proposes only what was seen, with one exception:
 * reads are allowed for all addresses between the lowest and the highest one that was read in a
 * data block, class of objects or module. Written addresses are listed exactly. A conduit joins
 * clients with the same requests to one server, and servers with the same requests from the same
 * clients.
 */
#ifndef SEKISHO_MGMT_CLI_LEARN_PROPOSE_H
#define SEKISHO_MGMT_CLI_LEARN_PROPOSE_H

#include "mgmt/cli/cli.h"
#include "mgmt/cli/learn/learnt.h"
#include "policy/check/model.h"
#include "policy/ir/ir.h"
#include "policy/read/ast.h"

/*
 * Prints the proposal to c->out. Without `model` it is a whole policy. With `model`, `ir` and
 * `groups` of a policy, it has the services and conduits that this policy lacks, and uses its names
 * for hosts. With --json it is one object. `from`: what was read, for people. Sessions in `l` that
 * did not show their protocol are joined with sessions of the same ends that did. *ret_refused:
 * `check` would refuse the text, or there was nothing to propose, so the text is no policy. False
 * when memory is out.
 */
bool propose(struct cli *c, struct learnt *l, const struct model *model, struct ir *ir, const struct ast_node *groups,
	     const char *from, bool *ret_refused);

#endif
