/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel expressions that our rules are made of, each one call; for kernel/rule.c alone. A rule under construction
 * is its owner's; a failure (memory, nonsense) is sticky in `bad`, so that a rule is written straight down.
 */
#ifndef SEKISHO_KERNEL_EXPR_H
#define SEKISHO_KERNEL_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/kernel/image.h"
#include "appliance/kernel/rule.h"

struct build {
	struct nftnl_rule *rule;
	uint8_t l4proto; /* matched so far, 0 = any */
	uint8_t family;	 /* the same: 4, 6, 0 = any */
	bool bad;
};

/* `word`: which 32-bit register. `key`: NFT_META_*, NFT_CT_*. `op`: NFT_CMP_*. Comparisons are with register 0. */
void expr_meta(struct build *b, uint32_t key, uint32_t word);
void expr_meta_set(struct build *b, uint32_t key, uint32_t word);
void expr_ct(struct build *b, uint32_t key, uint32_t word);
void expr_ct_original(struct build *b, uint32_t key, uint32_t word); /* of the original direction */
void expr_ct_mark_set(struct build *b, uint32_t word);
void expr_payload(struct build *b, uint32_t base, uint32_t offset, uint32_t len, uint32_t word);
void expr_cmp8(struct build *b, uint32_t op, uint8_t v);
void expr_cmp16(struct build *b, uint32_t op, uint16_t v);	      /* of a field in network order */
void expr_cmp_name(struct build *b, uint32_t op, const char *device); /* of a register with a device's name */
void expr_cmp32(struct build *b, uint32_t op, uint32_t host);
void expr_bits32(struct build *b, uint32_t word, uint32_t mask,
		 uint32_t flip); /* register = (register & mask) ^ flip */
void expr_bits8(struct build *b, uint8_t mask);
void expr_bits16(struct build *b, uint16_t mask);    /* of a field in network order */
void expr_tcp_option(struct build *b, uint8_t kind); /* is it there? */
void expr_tcp_strip(struct build *b, uint8_t kind);  /* the first of that kind */
void expr_value(struct build *b, uint32_t host);     /* register 0 = host */
void expr_unrouted(struct build *b); /* no route back to the source through the interface it came in at */

/* What a lookup of the key from register 0 on leaves behind: nothing, a mark in register 0, a verdict. */
enum lookup_result { LOOKUP_MEMBER, LOOKUP_MARK, LOOKUP_VERDICT };
void expr_lookup(struct build *b, unsigned set, enum lookup_result result, bool inverted);

void expr_draw(struct build *b, uint32_t parts, uint32_t word); /* word = one of 0 to parts - 1, by chance */
/* An element for the key from register 0 on. */
void expr_pace(struct build *b, unsigned set, uint32_t per_second, uint32_t burst); /* breaks the rule when over */
void expr_crowd(struct build *b, unsigned set, uint32_t most);			    /* breaks the rule unless over */
void expr_limit(struct build *b, uint32_t per_second, uint32_t burst);
void expr_log_record(struct build *b, uint32_t reason);
void expr_log_device(struct build *b); /* to the tap as well, and no record */
void expr_count(struct build *b, uint32_t reason);
void expr_queue(struct build *b, uint32_t lane, bool together, bool bypass, unsigned lacks);
void expr_verdict(struct build *b, int v, const char *chain); /* NF_* or NFT_GOTO; chain NULL but for the latter */

#endif
