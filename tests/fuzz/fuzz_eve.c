/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a line that rsyslogd hands over to be turned into EVE (mgmt/eve). The answer must be
 * one line of JSON, within the size that the settings allow for a message. What replaces the line
 * must be a line of EVE, and only for a record.
 *
 * LINK: mgmt/words/eve.c mgmt/words/event.c mgmt/state/journal.c
 * LINK: mgmt/words/command.c
 * LINK: mgmt/state/read.c
 * LINK: $(WIRE_SRC) $(BASE_SRC)
 * LIBS: jansson nettle
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/box/companions.h"
#include "mgmt/words/eve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINE_MOST 8192u	    /* journal/chain.h */
#define MESSAGE_MOST 65536u /* maxMessageSize: box/companions.c */

static void judge(const char *msg, const char *line, size_t n)
{
	json_t *eve = json_loads(msg, 0, NULL), *own = json_object_get(eve, "sekisho");
	json_t *record = json_loadb(line, n, 0, NULL);

	if (strncmp(msg, COMPANION_EVE, strlen(COMPANION_EVE)) != 0 || strpbrk(msg, "\r\n") != NULL)
		abort();
	if (!json_is_string(json_object_get(eve, "event_type")) || !json_is_object(record))
		abort();
	json_object_del(record, "prev");
	json_object_del(record, "hash");
	if (!json_equal(own, record))
		abort();
	json_decref(record);
	json_decref(eve);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);
	json_t *reply, *msg;

	if (to == NULL)
		return 0;
	eve_answer((const char *)data, size, to);
	fclose(to);
	if (n < 3 || memchr(text, '\n', n) != text + n - 1 || (size <= LINE_MOST && n > MESSAGE_MOST))
		abort();
	reply = json_loadb(text, n, 0, NULL);
	msg = json_object_get(reply, "msg");
	if (!json_is_object(reply) || json_object_size(reply) != (msg != NULL ? 1u : 0u))
		abort();
	if (msg != NULL)
		judge(json_string_value(msg), (const char *)data, size);
	json_decref(reply);
	free(text);
	return 0;
}
