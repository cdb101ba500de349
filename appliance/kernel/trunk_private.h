/* SPDX-License-Identifier: Apache-2.0 */
/* What trunk.c (the transaction) and trunk_text.c (what stands, and what is to stand) share; nobody else includes it. */
#ifndef SEKISHO_KERNEL_TRUNK_PRIVATE_H
#define SEKISHO_KERNEL_TRUNK_PRIVATE_H

#include <string.h>

#include "appliance/kernel/talk.h"
#include "appliance/kernel/trunk.h"

struct nftnl_rule;

#define TRUNK_PRIORITY (-500) /* before whatever others hang there */
#define TRUNK_MESSAGE 4096u   /* one message never needs more */

/* A gate as text: the table, its chains in their order, their rules. Equal text is an equal gate. */
struct gate_text {
	char *out; /* owned */
	size_t n, size;
	size_t head;	   /* of it: the table and its chains */
	bool failed;	   /* memory was out */
	bool table, chain; /* there is one */
	const char *card;  /* whose refusals are counted; NULL = nobody's */
	uint64_t refused;
};

/* Owned by the caller; NULL when memory is out. */
struct nftnl_rule *trunk_rule_tagged(const char *card, uint16_t vlan);
struct nftnl_rule *trunk_rule_rest(const char *card);
/* What stands in the socket's namespace, and what is to stand. */
int trunk_look(struct netlink *n, struct gate_text *t, struct err *e);
void trunk_want(const struct trunk_vlan *list, size_t n, struct gate_text *t);

static inline bool trunk_first(const struct trunk_vlan *list, size_t i)
{
	return i == 0 || strcmp(list[i].card, list[i - 1].card) != 0;
}

static inline bool trunk_last(const struct trunk_vlan *list, size_t n, size_t i)
{
	return i + 1 == n || strcmp(list[i].card, list[i + 1].card) != 0;
}

#endif
