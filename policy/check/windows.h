/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates, the time zone of the site, windows and the moments at which something begins and ends.
 */
#ifndef SEKISHO_POLICY_CHECK_WINDOWS_H
#define SEKISHO_POLICY_CHECK_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/check/model.h"
#include "policy/check/say.h"
#include "policy/read/ast.h"

struct check;

/* "2027-03-31"; *ret is the start of that day, UTC. */
bool date_parse(const char *text, uint64_t *ret);
/* RFC 3339 with offset. */
bool time_parse(const char *text, uint64_t *ret);
/* 2200-01-01. The kernel's timeouts are limited to 584 years, and a person who writes 9999-12-31
 * means that there is no end. */
#define UNTIL_MAX 7258118400u

/* Reads the time zone of the site. To be called before everything with hours or dates. */
void check_time_zone(struct check *k, const struct ast_node *node, struct object o);
void check_windows(struct check *k, const struct ast_node *node);
/*
 * Reads `until` or `contract_until`: a day, which means its end in the site's time zone, or a
 * moment with its offset. `past`: the message for a day or moment that is over. *ret is unchanged
 * if the value is invalid.
 */
void end_moment(struct check *k, const struct ast_node *node, enum message past, struct object o, uint64_t *ret);
/* Warns of conduits that are not in force at any moment from now on, though their end is ahead. To
 * be called after the contracts, which end conduits. */
void report_never_open(struct check *k);
/* Reads `within` and `starts` of a conduit; each may be NULL. To be called after its `until`. */
void conduit_when(struct check *k, const struct ast_node *within, const struct ast_node *starts,
		  struct model_conduit *c, struct object o);

#endif
