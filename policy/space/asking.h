/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers questions of `ask`: on the command line for a policy in files, and over the web for the
 * policy in force (appliance/compile). A question comes in words; its answer is JSON with sentences
 * in every language. Pure; each JSON is a new reference.
 */
#ifndef SEKISHO_POLICY_SPACE_ASKING_H
#define SEKISHO_POLICY_SPACE_ASKING_H

#include "appliance/base/json.h"
#include "policy/read/compilation.h"
#include "policy/space/asked.h"

/* The question as it was typed; NULL: a word was not given. */
struct asking_words {
	const char *from, *to, *service, *command, *address, *value;
	uint64_t at; /* seconds since 1970 */
};

/* Sets which doors are open at that moment, until when and by whom, from the doors of the box's
 * `status`. To be called before the question; without this call all doors are shut. */
void asking_doors(const struct compilation *c, const json_t *doors, uint64_t at);
/* The answer as in docs/json.md. If the question has no meaning, *ret_meant is false and the answer
 * is {"error":{...}}. The compilation must have a model. */
json_t *asking_answer(const struct compilation *c, const struct asking_words *w, bool *ret_meant);

#define RANGES_TEXT 200u

/* "10.1.0.5, 10.1.2.0/24, +3" */
void ranges_text(const struct addr_range *r, size_t n, char out[RANGES_TEXT]);
void until_text(uint64_t until, char out[40]);
/* {"conduit","file","line"} */
json_t *hop_json(const struct compilation *c, const struct model_conduit *d);
/* The same as hop_json, with everything that `ask` tells about a line. */
json_t *line_json(const struct compilation *c, const struct asked_line *l);

#endif
