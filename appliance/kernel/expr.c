/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers: the kernel has sixteen of 32 bits. A key begins in the first one, and each field is
 * padded to four bytes, as enforce/expect.c lays out elements. When the kernel reports a rule, it
 * calls each register that begins a group of four by the old name of the group, a register of 128
 * bits. The same name is written here, so that a rule that is read back has the same text.
 */
#include "appliance/kernel/expr.h"
#include "appliance/kernel/expr_act.h"

#include <stdio.h> /* libnftnl's headers need it */

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_bpf.h>
#include <linux/netfilter/xt_CHECKSUM.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/lane.h"

static uint32_t reg(uint32_t word)
{
	return word % 4 == 0 ? NFT_REG_1 + word / 4 : NFT_REG32_00 + word;
}

struct build rule_begin(uint8_t family, const char *table, const char *chain)
{
	struct build b = { .rule = nftnl_rule_alloc() };

	b.bad = b.rule == NULL;
	if (b.bad)
		return b;
	nftnl_rule_set_u32(b.rule, NFTNL_RULE_FAMILY, family);
	nftnl_rule_set_str(b.rule, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(b.rule, NFTNL_RULE_CHAIN, chain);
	return b;
}

struct nftnl_rule *rule_end(struct build *b)
{
	if (!b->bad || b->rule == NULL)
		return b->rule;
	nftnl_rule_free(b->rule);
	b->rule = NULL;
	return NULL;
}

/* Adds `x`, which the rule then owns. If there is no rule or no expression, sets `bad`. */
static struct nftnl_expr *expr_add(struct build *b, struct nftnl_expr *x)
{
	if (x != NULL && b->rule != NULL) {
		nftnl_rule_add_expr(b->rule, x);
		return x;
	}
	if (x != NULL)
		nftnl_expr_free(x);
	b->bad = true;
	return NULL;
}

static struct nftnl_expr *expr(struct build *b, const char *name)
{
	return expr_add(b, nftnl_expr_alloc(name));
}

/* An expression with two 32-bit attributes; NULL: no memory (`bad` is set). */
static struct nftnl_expr *expr2(struct build *b, const char *name, uint16_t a1, uint32_t v1, uint16_t a2, uint32_t v2)
{
	struct nftnl_expr *x = expr(b, name);

	if (x == NULL)
		return NULL;
	nftnl_expr_set_u32(x, a1, v1);
	nftnl_expr_set_u32(x, a2, v2);
	return x;
}

void expr_meta(struct build *b, uint32_t key, uint32_t word)
{
	expr2(b, "meta", NFTNL_EXPR_META_KEY, key, NFTNL_EXPR_META_DREG, reg(word));
}

void expr_meta_set(struct build *b, uint32_t key, uint32_t word)
{
	expr2(b, "meta", NFTNL_EXPR_META_KEY, key, NFTNL_EXPR_META_SREG, reg(word));
}

void expr_ct(struct build *b, uint32_t key, uint32_t word)
{
	expr2(b, "ct", NFTNL_EXPR_CT_KEY, key, NFTNL_EXPR_CT_DREG, reg(word));
}

void expr_ct_original(struct build *b, uint32_t key, uint32_t word)
{
	struct nftnl_expr *x = expr2(b, "ct", NFTNL_EXPR_CT_KEY, key, NFTNL_EXPR_CT_DREG, reg(word));

	if (x != NULL)
		nftnl_expr_set_u8(x, NFTNL_EXPR_CT_DIR, 0);
}

void expr_ct_mark_set(struct build *b, uint32_t word)
{
	expr2(b, "ct", NFTNL_EXPR_CT_KEY, NFT_CT_MARK, NFTNL_EXPR_CT_SREG, reg(word));
}

void expr_payload(struct build *b, uint32_t base, uint32_t offset, uint32_t len, uint32_t word)
{
	struct nftnl_expr *x = expr2(b, "payload", NFTNL_EXPR_PAYLOAD_BASE, base, NFTNL_EXPR_PAYLOAD_OFFSET, offset);

	if (x == NULL)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_DREG, reg(word));
}

static void cmp(struct build *b, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *x = expr2(b, "cmp", NFTNL_EXPR_CMP_SREG, reg(0), NFTNL_EXPR_CMP_OP, op);

	if (x != NULL)
		nftnl_expr_set(x, NFTNL_EXPR_CMP_DATA, data, len);
}

void expr_cmp8(struct build *b, uint32_t op, uint8_t v)
{
	cmp(b, op, &v, sizeof(v));
}

void expr_cmp16(struct build *b, uint32_t op, uint16_t v)
{
	const uint8_t field[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	cmp(b, op, field, sizeof(field));
}

void expr_cmp_name(struct build *b, uint32_t op, const char *device)
{
	char name[IFNAMSIZ] = "";

	snprintf(name, sizeof(name), "%s", device);
	cmp(b, op, name, sizeof(name));
}

void expr_cmp32(struct build *b, uint32_t op, uint32_t host)
{
	cmp(b, op, &host, sizeof(host));
}

/* register = (register & mask) ^ flip */
static void bitwise(struct build *b, uint32_t word, const void *mask, const void *flip, uint32_t len)
{
	struct nftnl_expr *x =
		expr2(b, "bitwise", NFTNL_EXPR_BITWISE_SREG, reg(word), NFTNL_EXPR_BITWISE_DREG, reg(word));

	if (x == NULL)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_MASK, mask, len);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_XOR, flip, len);
}

void expr_bits32(struct build *b, uint32_t word, uint32_t mask, uint32_t flip)
{
	bitwise(b, word, &mask, &flip, sizeof(mask));
}

void expr_bits8(struct build *b, uint8_t mask)
{
	uint8_t none = 0;

	bitwise(b, 0, &mask, &none, sizeof(mask));
}

void expr_bits16(struct build *b, uint16_t mask)
{
	const uint8_t field[2] = { (uint8_t)(mask >> 8), (uint8_t)mask }, flip[2] = { 0, 0 };

	bitwise(b, 0, field, flip, sizeof(field));
}

void expr_lookup(struct build *b, unsigned set, enum lookup_result result, bool inverted)
{
	struct nftnl_expr *x = expr(b, "lookup");

	if (x == NULL)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_SREG, reg(0));
	nftnl_expr_set_str(x, NFTNL_EXPR_LOOKUP_SET, set_name(set));
	if (result != LOOKUP_MEMBER)
		nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_DREG, result == LOOKUP_VERDICT ? NFT_REG_VERDICT : reg(0));
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_FLAGS, inverted ? NFT_LOOKUP_F_INV : 0);
}

void expr_verdict(struct build *b, int v, const char *chain)
{
	struct nftnl_expr *x = expr(b, "immediate");

	if (x == NULL)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_VERDICT, (uint32_t)v);
	if (chain != NULL)
		nftnl_expr_set_str(x, NFTNL_EXPR_IMM_CHAIN, chain);
}

static void limit_fill(struct nftnl_expr *x, uint32_t per_second, uint32_t burst)
{
	nftnl_expr_set_u64(x, NFTNL_EXPR_LIMIT_RATE, per_second);
	nftnl_expr_set_u64(x, NFTNL_EXPR_LIMIT_UNIT, 1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_LIMIT_BURST, burst);
	nftnl_expr_set_u32(x, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(x, NFTNL_EXPR_LIMIT_FLAGS, 0);
}

void expr_limit(struct build *b, uint32_t per_second, uint32_t burst)
{
	struct nftnl_expr *x = expr(b, "limit");

	if (x != NULL)
		limit_fill(x, per_second, burst);
}

void expr_draw(struct build *b, uint32_t parts, uint32_t word)
{
	struct nftnl_expr *x = expr2(b, "numgen", NFTNL_EXPR_NG_DREG, reg(word), NFTNL_EXPR_NG_MODULUS, parts);

	if (x != NULL)
		nftnl_expr_set_u32(x, NFTNL_EXPR_NG_TYPE, NFT_NG_RANDOM);
}

/* Finds the element whose key begins in word 0, or adds it. With NFT_DYNSET_OP_UPDATE its timeout
 * begins anew. `ms`: the timeout of an element, 0 = that of the set. `what`: an expression of which
 * each element gets a copy; taken over. */
static void update_element(struct build *b, unsigned set, uint32_t op, struct nftnl_expr *what, uint64_t ms)
{
	struct nftnl_expr *x = expr2(b, "dynset", NFTNL_EXPR_DYNSET_SREG_KEY, reg(0), NFTNL_EXPR_DYNSET_OP, op);

	if (x == NULL) {
		if (what != NULL)
			nftnl_expr_free(what);
		return;
	}
	nftnl_expr_set_str(x, NFTNL_EXPR_DYNSET_SET_NAME, set_name(set));
	if (ms != 0)
		nftnl_expr_set_u64(x, NFTNL_EXPR_DYNSET_TIMEOUT, ms);
	if (what != NULL)
		nftnl_expr_set(x, NFTNL_EXPR_DYNSET_EXPR, what, 0);
}

/* Adds an element with `what`. `what` NULL is an error, because the element would have no
 * effect. */
static void element_of(struct build *b, unsigned set, uint32_t op, struct nftnl_expr *what, uint32_t ms)
{
	b->bad = b->bad || what == NULL;
	update_element(b, set, op, what, ms);
}

void expr_keep(struct build *b, unsigned set, uint32_t seconds, bool anew)
{
	update_element(b, set, anew ? NFT_DYNSET_OP_UPDATE : NFT_DYNSET_OP_ADD, NULL, seconds * (uint64_t)1000);
}

/* ms; after such a time without a new session, a pair may use its whole burst again */
#define PACE_MS 10000u

void expr_pace(struct build *b, unsigned set, uint32_t per_second, uint32_t burst)
{
	struct nftnl_expr *x = nftnl_expr_alloc("limit");

	if (x != NULL)
		limit_fill(x, per_second, burst);
	if (set_spec(set)->timeout)
		element_of(b, set, NFT_DYNSET_OP_UPDATE, x, PACE_MS);
	else
		element_of(b, set, NFT_DYNSET_OP_ADD, x, 0);
}

void expr_crowd(struct build *b, unsigned set, uint32_t most)
{
	struct nftnl_expr *x = nftnl_expr_alloc("connlimit");

	if (x != NULL) {
		nftnl_expr_set_u32(x, NFTNL_EXPR_CONNLIMIT_COUNT, most);
		nftnl_expr_set_u32(x, NFTNL_EXPR_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
	}
	element_of(b, set, NFT_DYNSET_OP_ADD, x, 0);
}

static void log_to_tap(struct build *b, const char *prefix)
{
	struct nftnl_expr *x = expr(b, "log");

	if (x == NULL)
		return;
	nftnl_expr_set_str(x, NFTNL_EXPR_LOG_PREFIX, prefix);
	nftnl_expr_set_u16(x, NFTNL_EXPR_LOG_GROUP, LOG_GROUP);
	nftnl_expr_set_u16(x, NFTNL_EXPR_LOG_QTHRESHOLD, 0);
}

void expr_log_record(struct build *b, uint32_t reason)
{
	log_to_tap(b, reason_word((enum reason)reason));
}

void expr_log_device(struct build *b)
{
	log_to_tap(b, "device");
}

void expr_counter(struct build *b)
{
	struct nftnl_expr *x = expr(b, "counter");

	if (x == NULL)
		return;
	nftnl_expr_set_u64(x, NFTNL_EXPR_CTR_PACKETS, 0);
	nftnl_expr_set_u64(x, NFTNL_EXPR_CTR_BYTES, 0);
}

void expr_count(struct build *b, uint32_t reason)
{
	struct nftnl_expr *x = expr(b, "objref");

	if (x == NULL)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nftnl_expr_set_str(x, NFTNL_EXPR_OBJREF_IMM_NAME, reason_word((enum reason)reason));
}

/* A target or a match of xtables; NULL: no memory. */
static struct nftnl_expr *xtables(const char *kind, const char *name, uint32_t revision, const void *info, size_t n)
{
	size_t aligned = (n + 7u) & ~(size_t)7u; /* xtables aligns its data to 8 bytes */
	struct nftnl_expr *x = nftnl_expr_alloc(kind);
	void *data = calloc(1, aligned); /* libnftnl takes over the copy */

	_Static_assert((int)NFTNL_EXPR_TG_NAME == (int)NFTNL_EXPR_MT_NAME &&
			       (int)NFTNL_EXPR_TG_REV == (int)NFTNL_EXPR_MT_REV &&
			       (int)NFTNL_EXPR_TG_INFO == (int)NFTNL_EXPR_MT_INFO,
		       "a match has the attributes of a target");
	if (x == NULL || data == NULL) {
		free(data);
		if (x != NULL)
			nftnl_expr_free(x);
		return NULL;
	}
	memcpy(data, info, n);
	nftnl_expr_set_str(x, NFTNL_EXPR_TG_NAME, name);
	nftnl_expr_set_u32(x, NFTNL_EXPR_TG_REV, revision);
	nftnl_expr_set(x, NFTNL_EXPR_TG_INFO, data, (uint32_t)aligned);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it belongs to the expression now */
	return x;
}

void expr_checksum(struct build *b)
{
	const struct xt_CHECKSUM_info info = { .operation = XT_CHECKSUM_OP_FILL };

	expr_add(b, xtables("target", "CHECKSUM", 0, &info, sizeof(info)));
}

void expr_queue(struct build *b, uint32_t lane, bool together, bool bypass, unsigned lacks)
{
	struct xt_NFQ_info_v3 info = {
		.queuenum = lane_queue(lane, together ? LANE_SLOT_TOGETHER : 0),
		.queues_total = together ? 1 : LANE_SLOTS,
		.flags = bypass ? NFQ_FLAG_BYPASS : 0,
	};
	struct nftnl_expr *x;

	if ((lacks & LACKS_QUEUE) != 0) {
		expr_add(b, xtables("target", "NFQUEUE", 3, &info, sizeof(info)));
		return;
	}
	x = expr(b, "queue");
	if (x == NULL)
		return;
	nftnl_expr_set_u16(x, NFTNL_EXPR_QUEUE_NUM, info.queuenum);
	nftnl_expr_set_u16(x, NFTNL_EXPR_QUEUE_TOTAL, info.queues_total);
	nftnl_expr_set_u16(x, NFTNL_EXPR_QUEUE_FLAGS, bypass ? NFT_QUEUE_FLAG_BYPASS : 0);
}

void expr_once(struct build *b, uint32_t kind)
{
	const struct xt_bpf_info_v1 info = { .mode = XT_BPF_MODE_FD_ELF, .fd = (int)(RULE_FD_ONCE + kind) };

	expr_add(b, xtables("match", "bpf", 1, &info, sizeof(info)));
}

void expr_unrouted(struct build *b)
{
	struct nftnl_expr *x = expr2(b, "fib", NFTNL_EXPR_FIB_DREG, reg(0), NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_OIF);

	if (x == NULL)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT);
	expr_cmp8(b, NFT_CMP_EQ, 0);
}

void expr_tcp_option(struct build *b, uint8_t kind)
{
	struct nftnl_expr *x =
		expr2(b, "exthdr", NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT, NFTNL_EXPR_EXTHDR_DREG, reg(0));

	if (x == NULL)
		return;
	nftnl_expr_set_u8(x, NFTNL_EXPR_EXTHDR_TYPE, kind);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_OFFSET, 0);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_LEN, 1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
	expr_cmp8(b, NFT_CMP_EQ, 1);
}

void expr_tcp_strip(struct build *b, uint8_t kind)
{
	struct nftnl_expr *x = expr(b, "exthdr");

	if (x == NULL)
		return;
	/* The expression has no register, so the kernel removes the option. */
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
	nftnl_expr_set_u8(x, NFTNL_EXPR_EXTHDR_TYPE, kind);
}

void expr_value(struct build *b, uint32_t host, uint32_t word)
{
	struct nftnl_expr *x = expr(b, "immediate");

	if (x == NULL)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, reg(word));
	nftnl_expr_set(x, NFTNL_EXPR_IMM_DATA, &host, sizeof(host));
}
