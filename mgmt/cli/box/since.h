/* SPDX-License-Identifier: Apache-2.0 */
/* "--since": a moment as people name it, and the events of the journal from then on. */
#ifndef SEKISHO_MGMT_CLI_BOX_SINCE_H
#define SEKISHO_MGMT_CLI_BOX_SINCE_H

#include "mgmt/cli/cli.h"

#define SINCE_TEXT 40

/*
 * "30m", "24h", "7d" before now, a day ("2027-03-31", local time) or a moment with its zone ("2027-03-31T09:00:00+09:00").
 * Into `out` in the form of an event's time, so that text compares as time does. False for anything else.
 */
bool since_parse(const char *text, char out[SINCE_TEXT]);
/* "90s", "30m", "24h", "7d" in seconds, at most `max`; false for anything else. */
bool since_span(const char *text, uint64_t max, uint64_t *ret);
/*
 * Every event from `since` on whose kind is `kind` (NULL = any), oldest first, as an array that is the caller's; NULL when the
 * verb ends with *ret_status, which was said.
 */
json_t *since_events(struct cli *c, const char *since, const char *kind, int *ret_status);
/* The same without keeping them: `each` is called for every event of any kind. False when the verb ends with *ret_status. */
bool since_each(struct cli *c, const char *since, void (*each)(void *ctx, const json_t *event), void *ctx,
		int *ret_status);
/* The oldest event that the journal still has, the caller's; NULL when there is none. False as above. */
bool since_oldest(struct cli *c, json_t **ret, int *ret_status);

#endif
