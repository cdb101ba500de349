/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IP addresses and ranges of both families, in network byte order, comparable with memcmp. Knows
 * nothing of sockets. All functions are pure.
 */
#ifndef SEKISHO_BASE_ADDR_H
#define SEKISHO_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr {
	uint8_t family; /* 4 or 6; 0 = unset */
	uint8_t b[16];	/* network order; IPv4 uses b[0..3], the rest is zero */
};

/* Both ends are inside. lo and hi are of one family and lo <= hi. */
struct addr_range {
	struct addr lo;
	struct addr hi;
};

#define ADDR_TEXT 48 /* bytes that hold any printed address or prefix, with the NUL */

size_t addr_len(uint8_t family);			  /* 4, 16, or 0 */
int addr_cmp(const struct addr *a, const struct addr *b); /* family first, then value */
bool addr_parse(const char *text, struct addr *ret);
/* "10.0.0.0/8", "2001:db8::/32", or a single address. False when bits beyond the prefix are set:
 * *stray is then true, and *ret holds the range that was probably meant. */
bool prefix_parse(const char *text, struct addr_range *ret, bool *stray);
/* "10.30.1.10-10.30.1.21": every address from the first to the last, of one family. */
bool span_parse(const char *text, struct addr_range *ret);
void addr_text(const struct addr *a, char out[ADDR_TEXT]);
/* Prefix notation where the range is one prefix, "lo-hi" otherwise. */
void addr_range_text(const struct addr_range *r, char *out, size_t size);
/* Reads what addr_range_text() writes. */
bool addr_range_parse(const char *text, struct addr_range *ret);
bool addr_range_is_prefix(const struct addr_range *r, unsigned *ret_len);
/* False when there is no next or previous address (all ones, all zeros). */
bool addr_next(const struct addr *a, struct addr *ret);
bool addr_prev(const struct addr *a, struct addr *ret);
/* True for equal IPv4 addresses, and for IPv6 addresses of one /64, because a host can take any
 * address of its /64. */
bool addr_same_host(const struct addr *a, const struct addr *b);
/* Whether only one site or machine uses it: private (RFC 1918, 4193, 6598),
 * link-local, loopback. */
bool addr_is_private(const struct addr *a);
bool addr_in(const struct addr *a, const struct addr_range *r);
/* False when they share no address. */
bool addr_range_meet(const struct addr_range *a, const struct addr_range *b, struct addr_range *ret);
/* Writes what is in a but not in b to ret: 0, 1 or 2 ranges. Returns their number. */
size_t addr_range_minus(const struct addr_range *a, const struct addr_range *b, struct addr_range ret[2]);

#endif
