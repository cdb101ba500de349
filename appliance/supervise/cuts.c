/* SPDX-License-Identifier: Apache-2.0 */
/* To the workers: which sessions the policy in force has ended, out of the list that enforce made of what was tracked. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/supervise/supervise.h"
#include "appliance/wire/cuts.h"

/* "10.0.0.1:502" or "[2001:db8::1]:502", as json_endpoint writes it. */
static bool endpoint_parse(const char *text, struct addr *ret, uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	char address[ADDR_TEXT];
	unsigned long port;
	size_t n;
	char *end;

	if (colon == NULL)
		return false;
	port = strtoul(colon + 1, &end, 10);
	n = (size_t)(colon - text);
	if (*end != 0 || port == 0 || port > UINT16_MAX)
		return false;
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = 0;
	*ret_port = (uint16_t)port;
	return addr_parse(address, ret);
}

static bool session_parse(const json_t *j, struct cut_session *ret)
{
	const char *client = json_string_value(json_object_get(j, "client"));
	const char *server = json_string_value(json_object_get(j, "server"));
	const char *transport = json_string_value(json_object_get(j, "transport"));

	return client != NULL && server != NULL && transport != NULL && strcmp(transport, "tcp") == 0 &&
	       endpoint_parse(client, &ret->client, &ret->client_port) &&
	       endpoint_parse(server, &ret->server, &ret->server_port);
}

void cuts_hand_on(struct supervisor *s, int fd)
{
	for (uint32_t w = 0; w < WORKER_MAX; w++)
		if (slot_alive(&s->slots[SLOT_DPI + w]))
			role_send(s, &s->slots[SLOT_DPI + w], 0, &(struct msg_body){ .type = MSG_CUTS }, &fd, 1);
}

void cuts_tell(struct supervisor *s, const json_t *cut)
{
	size_t n = json_array_size(cut), kept = 0;
	struct cut_session *list = calloc(n + 1, sizeof(*list));
	int fd;

	if (n > CUTS_MAX_BYTES / sizeof(*list))
		n = CUTS_MAX_BYTES / sizeof(*list); /* the others hear of it when they speak */
	for (size_t i = 0; list != NULL && i < n; i++)
		kept += session_parse(json_array_get(cut, i), &list[kept]);
	fd = kept > 0 ? memfd_sealed("sekisho-cuts", list, kept * sizeof(*list)) : -1;
	if (fd >= 0) {
		cuts_hand_on(s, fd);
		close(fd);
	}
	free(list);
}
