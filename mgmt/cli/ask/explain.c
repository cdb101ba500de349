/* SPDX-License-Identifier: Apache-2.0 */
/* `sekisho explain EVENT`: a record as a sentence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "mgmt/cli/ask/ask.h"
#include "mgmt/cli/box/request.h"
#include "mgmt/cli/verbs.h"
#include "mgmt/cli/words/render.h"
#include "mgmt/state/read.h"

#define END_TEXT 64u /* an address, or "icmp/255" */

/* "10.0.0.1:502" or "[2001:db8::1]:502" without its port; returns the port's text. */
static const char *end_of(const char *text, char ret[END_TEXT])
{
	const char *colon = strrchr(text, ':');
	bool bracket = *text == '[';
	int n = colon != NULL ? (int)(colon - text) - 2 * bracket : 0;

	snprintf(ret, END_TEXT, "%.*s", n > 0 ? n : 0, text + bracket);
	return colon != NULL ? colon + 1 : "";
}

/* If no conduit covered the packet, prints what the policy in force says of such packets. Does not
 * change the exit status when the policy cannot be read, because the event itself was printed. */
static void print_now(const struct cli *cli, const json_t *event)
{
	char client[END_TEXT], server[END_TEXT], service[END_TEXT];
	struct asking_words w = { .from = client, .to = server, .service = service, .at = clock_wall_s() };
	const char *port = end_of(js(event, "server"), server);
	struct cli here = *cli, *c = &here;
	struct source s;
	json_t *answer;
	int status;
	bool meant;

	if (!js_is(event, "reason", "no_conduit"))
		return;
	(void)end_of(js(event, "client"), client);
	snprintf(service, sizeof(service), "%s/%s", js(event, "transport"), port);
	if (json_object_get(event, "icmp_type") != NULL)
		snprintf(service, sizeof(service), "icmp/%llu", ju(event, "icmp_type"));
	if (source_open_asked(c, NULL, 0, &s, &status) && source_doors(c, &s, w.at, &status)) {
		answer = asking_answer(&s.c, &w, &meant);
		if (meant) {
			fprintf(c->out, "%s\n", message_format(M_EXPLAIN_NOW, c->lang));
			asking_print(c, &w, answer);
		}
		json_decref(answer);
	}
	source_close(&s);
}

int verb_explain(struct cli *c, const struct cli_args *a)
{
	struct msg_body question = { .type = MSG_EXPLAIN };
	struct box_answer answer;
	unsigned long long seq;
	const json_t *event;
	char *text;
	int status;

	if (!cli_number(a->operands[0], UINT64_MAX, &seq) || seq == 0)
		return cli_fail(c, CLI_INVALID, M_EXPLAIN_NUMBER, a->operands[0]);
	question.explain.seq = seq;
	if (!box_ask(c, &question, &answer, &status))
		return status;
	if (!box_answer_done(c, &answer, &status)) {
		event = json_object_get(answer.json, "event");
		if (!json_is_object(event) && json_object_get(answer.json, "seq") != NULL)
			event = answer.json;
		text = json_is_object(event) ? event_told(event, c->lang) : NULL;
		if (text != NULL) {
			fprintf(c->out, "%s\n", text);
			print_now(c, event);
		} else {
			status = cli_fail(c, CLI_NO, M_EXPLAIN_ABSENT, seq);
		}
		free(text);
	}
	box_answer_free(&answer);
	return status;
}
