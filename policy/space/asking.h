/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answers of `ask`: on the command line for a policy in files, and over the web for the one in
 * force (appliance/compile). A question in words, its answer as JSON with sentences in every
 * language, and the forms of an end and of a line. Pure; each JSON is a new reference.
 */
#ifndef SEKISHO_POLICY_SPACE_ASKING_H
#define SEKISHO_POLICY_SPACE_ASKING_H

#include "appliance/base/json.h"
#include "policy/read/compilation.h"
#include "policy/space/asked.h"

/* As it was typed; NULL: it was not. */
struct asking_words {
	const char *from, *to, *service, *command, *address, *value;
	uint64_t at; /* seconds since 1970 */
};

/* Doors as `status` of the box tells them: those that stand open at that moment, until when and by
 * whom. Before it is asked; else all are shut. */
void asking_doors(const struct compilation *c, const json_t *doors, uint64_t at);
/* As docs/json.md has it; where the question means nothing, *ret_meant is false and it is
 * {"error":{...}}. The compilation has a model. */
json_t *asking_answer(const struct compilation *c, const struct asking_words *w, bool *ret_meant);

#define RANGES_TEXT 200u

/* "10.1.0.5, 10.1.2.0/24, +3" */
void ranges_text(const struct addr_range *r, size_t n, char out[RANGES_TEXT]);
void until_text(uint64_t until, char out[40]);
/* {"conduit","file","line"} */
json_t *hop_json(const struct compilation *c, const struct model_conduit *d);
/* The same with all that `ask` says of a line. */
json_t *line_json(const struct compilation *c, const struct asked_line *l);

#endif
