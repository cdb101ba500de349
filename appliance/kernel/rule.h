/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IR rules as kernel expressions. The batch that loads rules and the text with which read-back
 * compares them use the same translation. Runs in enforce; communicates with nobody. Only files of
 * this folder use libnftnl.
 */
#ifndef SEKISHO_KERNEL_RULE_H
#define SEKISHO_KERNEL_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/base/err.h"
#include "appliance/kernel/image.h"
#include "policy/ir/rules.h"

struct nftnl_rule;

/*
 * What the running kernel lacks, as bits: the `queue` expression (the NFQUEUE target of nft_compat
 * replaces it); removing TCP options (Linux 5.18; before, these rules are left out and the workers
 * refuse such packets); a table that has an owner and outlives it (Linux 6.9; before, the table has
 * no owner); the verdict cache's program, or rules that ask it (then everything is queued).
 */
enum kernel_lack { LACKS_NOTHING = 0, LACKS_QUEUE = 1, LACKS_STRIP = 2, LACKS_OWNER = 4, LACKS_ONCE = 8 };

/* The descriptor of the verdict cache's program in the process that sends rules: a rule names the
 * program by it. */
#define RULE_FD_ONCE 7

#define LOG_GROUP 1u	/* NFLOG group that the tap reads */
#define RULE_FAN 12u	/* kernel rules that one IR rule may need */
#define RULE_TEXT 2048u /* bytes of a canonical text, with the NUL */

/*
 * Builds the kernel rules of one IR rule: mostly one. IR_IP_OPTIONS needs six tests, hence six
 * rules. A record (IR_LOG) needs a rule of its own before the rule that counts and decides, because
 * its rate limit ends the rule, and the counter has to stay exact. Returns the number of rules
 * (owned by the caller, rule_free); 0: the kernel lacks what the rule needs; negative errno: none
 * was built.
 */
int rule_build(const struct ir_rule *r, unsigned lacks, struct nftnl_rule *ret[RULE_FAN]);
void rule_free(struct nftnl_rule *r);
/* Writes "[ meta load iif => reg 1 ] ...". False: the text does not fit, or some expression has
 * none. */
bool rule_text(const struct nftnl_rule *r, char *out, size_t size);

/* Adds the texts of all expected rules to the image, in chain order. 0 or negative errno. */
int netlink_rule_texts(struct image *i, const struct expectation *x, unsigned lacks, struct err *e);

#endif
