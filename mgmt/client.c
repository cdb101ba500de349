/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static bool peer(struct client *k)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(k->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (i == NULL || i->client_addr == NULL)
		return false;
	if (i->client_addr->sa_family == AF_INET) {
		memcpy(&four, i->client_addr, sizeof(four));
		k->who.family = 4;
		memcpy(k->who.b, &four.sin_addr, 4);
		k->port = ntohs(four.sin_port);
		return true;
	}
	if (i->client_addr->sa_family != AF_INET6)
		return false;
	memcpy(&six, i->client_addr, sizeof(six));
	k->port = ntohs(six.sin6_port);
	k->who.family = IN6_IS_ADDR_V4MAPPED(&six.sin6_addr) ? 4 : 6;
	memcpy(k->who.b, six.sin6_addr.s6_addr + (k->who.family == 4 ? 12 : 0), addr_len(k->who.family));
	return true;
}

bool client_init(struct client *k, struct MHD_Connection *c, uint64_t deadline_ns)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

	*k = (struct client){ .state = CLIENT_IDLE, .connection = c, .fd = -1, .deadline_ns = deadline_ns, .answer_fd = -1 };
	if (i == NULL || !peer(k))
		return false;
	k->fd = i->connect_fd;
	return true;
}

void client_done(struct client *k, uint64_t deadline_ns)
{
	if (k->answer_fd >= 0)
		close(k->answer_fd);
	k->answer_fd = -1;
	k->state = CLIENT_IDLE;
	k->deadline_ns = deadline_ns;
}

struct lookup {
	const char *name, *value;
	unsigned n;
};

static enum MHD_Result one_header(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct lookup *l = cls;

	(void)kind;
	if (strcasecmp(key, l->name) == 0) {
		l->value = value;
		l->n++;
	}
	return MHD_YES;
}

const char *client_header(const struct client *k, const char *name)
{
	struct lookup l = { .name = name };

	MHD_get_connection_values(k->connection, MHD_HEADER_KIND, one_header, &l);
	return l.n == 1 ? l.value : NULL;
}
