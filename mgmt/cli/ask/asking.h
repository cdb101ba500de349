/* SPDX-License-Identifier: Apache-2.0 */
/* What `ask`, `who-can` and `reach` have in common: whose policy at which moment, who is meant, and how a line is told. */
#ifndef SEKISHO_MGMT_CLI_ASK_ASKING_H
#define SEKISHO_MGMT_CLI_ASK_ASKING_H

#include "mgmt/cli/policy/source.h"
#include "policy/space/asked.h"

enum { OPT_POLICY, OPT_AT, OPTS };
extern const struct cli_option asking_options[OPTS];

#define RANGES_TEXT 200u

/* True: the policy is open, and *ret_at the moment. False: it was said why, *ret_status is the verb's. source_close in both cases. */
bool asking_open(struct cli *c, const struct cli_args *a, struct source *ret, uint64_t *ret_at, int *ret_status);
/* The ends that are called so, in the source's arena; NULL after saying that there are none. */
const struct asked_end *asking_ends(struct cli *c, const struct source *s, const char *text, size_t *ret_n,
				    int *ret_status);

/* "10.1.0.5, 10.1.2.0/24, +3" */
void ranges_text(const struct addr_range *r, size_t n, char out[RANGES_TEXT]);
void until_text(uint64_t until, char out[40]);
/* {"conduit","file","line"}; new references, as all here. */
json_t *hop_json(const struct source *s, const struct model_conduit *d);
/* The same with all that `ask` says of a line. */
json_t *line_json(const struct source *s, const struct asked_line *l);

#endif
