/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files loan*.c: the addresses, neighbours and routes of a link as messages, and its
 * settings. */
#ifndef SEKISHO_BOX_LOAN_PRIVATE_H
#define SEKISHO_BOX_LOAN_PRIVATE_H

#include "appliance/base/json.h"
#include "appliance/box/loan.h"
#include "appliance/box/rtnl.h"

/* Writes the device and all devices above it to `ret`; returns their number. */
size_t loan_above(const struct devices *all, const struct device *d, const struct device *ret[LOAN_LINKS]);

/* Rounds up to the alignment of attributes and next hops in a message. */
static inline size_t aligned(size_t n)
{
	return (n + 3u) & ~(size_t)3u;
}

/* Reads hex digits: at most `most` bytes. */
bool loan_hex_read(const char *text, uint8_t *out, size_t most, size_t *ret_n);

/* Addresses, permanent neighbours and routes of device `index`, in the order in which they are to
 * be set. A new reference. */
int loan_facts(struct rtnl *r, const struct devices *all, uint32_t index, json_t **ret, bool *more, struct err *e);
/* The facts of `wanted` that are not in `have`, compared by kind and text; a new reference. */
json_t *loan_missing(const json_t *wanted, const json_t *have);
/*
 * Sets one fact. `now`: the present devices; the device `from` is called `to` now. `elapsed_s`:
 * seconds since the picture was taken. -ETIME: the lifetime of the fact is over.
 */
int loan_fact_set(struct rtnl *r, const struct devices *now, const json_t *fact, const char *from, const char *to,
		  uint64_t elapsed_s, struct err *e);

/* Sets the settings that differ, and calls `each` for those that could not be set. */
void loan_settings_set(const char *device, const json_t *wanted,
		       void (*each)(void *ctx, const char *name, const char *value), void *ctx);

#endif
