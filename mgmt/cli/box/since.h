/* SPDX-License-Identifier: Apache-2.0 */
/* "--since": the events of the journal from a moment on. */
#ifndef SEKISHO_MGMT_CLI_BOX_SINCE_H
#define SEKISHO_MGMT_CLI_BOX_SINCE_H

#include "mgmt/cli/cli.h"

/*
 * Every event from `since` on whose kind is `kind` (NULL = any), oldest first, as an array that is
 * the caller's; NULL when the verb has to end with *ret_status; the reason was printed.
 */
json_t *since_events(struct cli *c, const char *since, const char *kind, int *ret_status);
/* As since_events, without keeping the events: `each` is called for every event of any kind. False
 * when the verb ends with *ret_status. */
bool since_each(struct cli *c, const char *since, void (*each)(void *ctx, const json_t *event), void *ctx,
		int *ret_status);
/* The oldest event that the journal still has, the caller's; NULL when there is none. False
 * as above. */
bool since_oldest(struct cli *c, json_t **ret, int *ret_status);

#endif
