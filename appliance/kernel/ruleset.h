/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table as the kernel would execute it: base chains with their hooks, rules as expressions over
 * registers, sets with their elements. It is read only from the kernel's messages, and shares no
 * code with the modules that write the rules, so that a mistake there is not repeated here. Runs in
 * enforce; by libnftnl and libmnl.
 */
#ifndef SEKISHO_KERNEL_RULESET_H
#define SEKISHO_KERNEL_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/arena.h"
#include "appliance/base/err.h"
#include "appliance/kernel/talk.h"

struct nlmsghdr;

enum op_kind_kernel {
	OP_UNKNOWN, /* an expression that this reader does not know: the rule cannot be judged */
	OP_META,
	OP_META_SET,
	OP_CT,
	OP_CT_SET,
	OP_PAYLOAD,
	OP_CMP,
	OP_BITWISE,
	OP_LOOKUP,
	OP_VALUE,
	OP_VERDICT,
	OP_FIB,
	OP_QUEUE,
	/* counts, logs or limits: the rule goes on, because a test assumes a box without load */
	OP_PASS,
	/* matches only under load or in a running session; for a test packet the rule ends */
	OP_CROWD,
};

#define OP_DATA 48u
#define REGISTERS 64u		 /* bytes */
#define VERDICT_REGISTER 0xffffu /* this offset stands for the verdict register */

struct op {
	enum op_kind_kernel kind;
	uint16_t from, to; /* offsets into the registers */
	/* meta, ct: the key; payload: the base; cmp: the operator; fib: the flags */
	uint32_t key;
	uint32_t offset, len;
	/* `original`: ct, of the original direction; `inverted`: lookup, matches if the key is not
	 * in the set; `result`: lookup, uses the data of the element */
	bool original, inverted, result;
	uint8_t data[OP_DATA], mask[OP_DATA];
	int verdict;
	const char *name; /* chain or set */
	uint16_t queue, queues;
	bool bypass;
};

struct rule_read {
	struct op *ops;
	size_t n, room;
};

struct chain_read {
	const char *name;
	bool base;
	uint32_t hook;
	int32_t priority;
	uint32_t policy; /* NF_DROP, NF_ACCEPT */
	struct rule_read *rules;
	size_t n, room;
};

struct element_read {
	uint8_t key[OP_DATA], key_end[OP_DATA];
	uint32_t data;
	int verdict;
	const char *chain;
};

#define SET_READ_FIELDS 8u

struct set_read {
	const char *name;
	bool map, verdicts, interval, dynamic;
	uint32_t key_len;
	/* field lengths of an interval set, in bytes, each padded to 4 in the key; 0 = no more */
	uint8_t fields[SET_READ_FIELDS];
	struct element_read *list; /* sorted by key unless they are intervals */
	size_t n, room;
};

struct ruleset {
	struct arena *arena;
	struct chain_read *chains;
	size_t n_chains, room_chains;
	struct set_read *sets;
	size_t n_sets, room_sets;
	bool failed; /* memory was out, or a message could not be parsed */
	/* borrowed, from ruleset_read; NULL = progress is not counted */
	struct netlink_reading *reading;
};

void ruleset_init(struct ruleset *r, struct arena *a);
/* Takes one message about tables, chains, rules, sets or elements, as the kernel dumps it. Other
 * messages are ignored. */
void ruleset_take(struct ruleset *r, const struct nlmsghdr *m);
/* To be called after the last message. */
void ruleset_done(struct ruleset *r);
/* Reads the whole table of that name within one state of the kernel. 0 or negative errno. */
int ruleset_read(struct netlink *n, struct arena *a, struct ruleset *ret, struct err *e);
const struct chain_read *ruleset_chain(const struct ruleset *r, const char *name);
const struct set_read *ruleset_set(const struct ruleset *r, const char *name);

#endif
