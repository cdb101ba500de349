/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel expressions that our rules are made of. A rule is built by rule_begin, one call for
 * each expression, and rule_end. A failure (no memory, invalid arguments) is kept in `bad`, so only
 * the result of rule_end has to be checked.
 */
#ifndef SEKISHO_KERNEL_EXPR_H
#define SEKISHO_KERNEL_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/kernel/rule.h"

struct build {
	struct nftnl_rule *rule;
	uint8_t l4proto; /* protocol matched so far, 0 = any */
	uint8_t family;	 /* address family matched so far: 4, 6; 0 = any */
	bool bad;
};

struct build rule_begin(uint8_t family, const char *table, const char *chain);
/* The rule, owned by the caller; NULL if it is bad. */
struct nftnl_rule *rule_end(struct build *b);

/* `word`: number of a 32-bit register. `key`: NFT_META_*, NFT_CT_*. `op`: NFT_CMP_*. Comparisons
 * use register 0. */
void expr_meta(struct build *b, uint32_t key, uint32_t word);
void expr_meta_set(struct build *b, uint32_t key, uint32_t word);
void expr_ct(struct build *b, uint32_t key, uint32_t word);
void expr_ct_original(struct build *b, uint32_t key, uint32_t word); /* in the original direction */
void expr_ct_mark_set(struct build *b, uint32_t word);
void expr_payload(struct build *b, uint32_t base, uint32_t offset, uint32_t len, uint32_t word);
void expr_cmp8(struct build *b, uint32_t op, uint8_t v);
/* of a field in network order */
void expr_cmp16(struct build *b, uint32_t op, uint16_t v);
/* compares the register with a device's name */
void expr_cmp_name(struct build *b, uint32_t op, const char *device);
void expr_cmp32(struct build *b, uint32_t op, uint32_t host);
void expr_bits32(struct build *b, uint32_t word, uint32_t mask,
		 uint32_t flip); /* register = (register & mask) ^ flip */
void expr_bits8(struct build *b, uint8_t mask);
void expr_bits16(struct build *b, uint16_t mask);    /* of a field in network order */
void expr_tcp_option(struct build *b, uint8_t kind); /* matches if the option is there */
void expr_tcp_strip(struct build *b, uint8_t kind);  /* removes the first option of that kind */
void expr_value(struct build *b, uint32_t host, uint32_t word);
/* matches if there is no route to the source through the interface where the packet came in */
void expr_unrouted(struct build *b);

/* What a lookup yields: only whether the key is in the set, a mark in register 0, or a verdict. The
 * key is in register 0 and the following ones. */
enum lookup_result { LOOKUP_MEMBER, LOOKUP_MARK, LOOKUP_VERDICT };
void expr_lookup(struct build *b, unsigned set, enum lookup_result result, bool inverted);

#endif
