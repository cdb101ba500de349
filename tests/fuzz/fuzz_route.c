/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a question from the request target to the journal's search: the target, the question
 * of the route, the message to the supervisor, and the filter that is applied to a line of the
 * records. The supervisor must accept every question that a route asks, and must get it unchanged.
 *
 * LINK: mgmt/web/api/%.c mgmt/words/%.c mgmt/state/%.c mgmt/picture/%.c mgmt/cli/screen/%.c
 * LINK: $(WIRE_SRC) $(BASE_SRC) appliance/journal/filter.c
 * LIBS: jansson nettle
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/journal/filter.h"
#include "mgmt/web/api/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char line[] =
	"{\"seq\":7,\"time\":\"2026-11-20T08:10:11.123Z\",\"kind\":\"flow\",\"severity\":\"warning\",\"verdict\":"
	"\"deny\","
	"\"client_zone\":\"it\",\"server_zone\":\"ot\",\"client_asset\":\"desk\",\"client\":\"10.1.0.7:40000\","
	"\"server\":\"[2001:db8::5]:502\",\"conduit\":\"cranes\"}";

static void carried(const struct msg_body *question)
{
	static int sv[2];
	struct msg m;

	if (sv[1] == 0)
		assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv) == 0);
	assert(msg_send(sv[0], 9, question, NULL, 0) == 0);
	assert(msg_recv(sv[1], ROLE_MGMT, ROLE_CONTROL, &m) == 1);
	assert(m.id == 9 && m.n_fds == 0 && m.body.type == question->type);
	if (question->type == MSG_EVENTS)
		assert(m.body.events.after == question->events.after && m.body.events.most == question->events.most &&
		       memcmp(&m.body.events.filter, &question->events.filter, sizeof(m.body.events.filter)) == 0);
}

static void looked_for(const struct event_filter *asked)
{
	char *exact = malloc(sizeof(line) - 1); /* without a NUL, as a line in its file */
	struct line_filter f;

	assert(exact != NULL);
	memcpy(exact, line, sizeof(line) - 1);
	if (line_filter_make(asked, &f))
		for (size_t n = 0; n < sizeof(line); n += 16)
			line_filter_match(&f, exact, n);
	if (line_filter_make(asked, &f) && event_filter_any(asked))
		assert(line_filter_match(&f, exact, sizeof(line) - 1));
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);
	const struct route *route;
	struct msg_body question;
	struct target t;

	assert(exact != NULL);
	memcpy(exact, data, size);
	target_parse(bytes_of(exact, size), &t);
	route = t.path[0] != '\0' ? route_find(t.path) : NULL;
	if (route != NULL && !t.bad_query) {
		question = (struct msg_body){ .type = route->question };
		if (route->ask(&t, &question)) {
			carried(&question);
			if (question.type == MSG_EVENTS)
				looked_for(&question.events.filter);
		}
	}
	free(exact);
	return 0;
}
