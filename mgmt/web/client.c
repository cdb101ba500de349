/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

bool client_endpoint(const struct sockaddr_storage *from, struct addr *ret, uint16_t *ret_port)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	memset(ret, 0, sizeof(*ret));
	if (from->ss_family == AF_INET) {
		memcpy(&four, from, sizeof(four));
		ret->family = 4;
		memcpy(ret->b, &four.sin_addr, 4);
		*ret_port = ntohs(four.sin_port);
		return true;
	}
	if (from->ss_family != AF_INET6)
		return false;
	memcpy(&six, from, sizeof(six));
	*ret_port = ntohs(six.sin6_port);
	ret->family = IN6_IS_ADDR_V4MAPPED(&six.sin6_addr) ? 4 : 6;
	memcpy(ret->b, six.sin6_addr.s6_addr + (ret->family == 4 ? 12 : 0), addr_len(ret->family));
	return true;
}

bool client_init(struct client *k, struct MHD_Connection *c, uint64_t now_ns, uint64_t deadline_ns,
		 struct addr *ret_here)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct sockaddr_storage here = { 0 }, there = { 0 };
	socklen_t n_here = sizeof(here), n_there = sizeof(there);
	uint16_t port;

	*k = (struct client){ .state = CLIENT_IDLE,
			      .connection = c,
			      .fd = -1,
			      .deadline_ns = deadline_ns,
			      .since_ns = now_ns,
			      .answer_fd = -1 };
	if (i == NULL)
		return false;
	k->fd = i->connect_fd;
	return getsockname(k->fd, (struct sockaddr *)&here, &n_here) == 0 && client_endpoint(&here, ret_here, &port) &&
	       getpeername(k->fd, (struct sockaddr *)&there, &n_there) == 0 &&
	       client_endpoint(&there, &k->who, &k->port);
}

bool client_expect(struct client *k, size_t n)
{
	client_forget_body(k);
	k->body = malloc(n + 1);
	k->body_room = k->body != NULL ? n : 0;
	return k->body != NULL;
}

void client_forget_body(struct client *k)
{
	if (k->body != NULL)
		explicit_bzero(k->body, k->n_body);
	free(k->body);
	k->body = NULL;
	k->n_body = k->body_room = 0;
}

void client_done(struct client *k, uint64_t deadline_ns)
{
	if (k->answer_fd >= 0)
		close(k->answer_fd);
	k->answer_fd = -1;
	live_leave(k->stream);
	k->stream = NULL;
	web_report_free(k->report);
	k->report = NULL;
	client_forget_body(k);
	k->announced = 0;
	k->bearer = k->drains = false;
	k->stage = STAGE_BOX;
	k->form = NULL;
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

bool client_session(const struct client *k, uint8_t ret[LOGIN_SECRET])
{
	const char *cookie = client_header(k, MHD_HTTP_HEADER_COOKIE);

	return cookie != NULL && login_cookie(cookie, ret);
}

bool client_has_header(const struct client *k, const char *name)
{
	struct lookup l = { .name = name };

	MHD_get_connection_values(k->connection, MHD_HEADER_KIND, one_header, &l);
	return l.n > 0;
}

bool client_credential(const struct client *k, enum credential *ret_what, uint8_t ret[LOGIN_SECRET])
{
	const char *bearer = client_header(k, MHD_HTTP_HEADER_AUTHORIZATION);

	*ret_what = bearer != NULL ? CREDENTIAL_TOKEN : CREDENTIAL_SESSION;
	return bearer != NULL ? login_bearer(bearer, ret) : client_session(k, ret);
}

bool client_shows_session(const struct client *k)
{
	uint8_t secret[LOGIN_SECRET];
	bool shown = client_session(k, secret);

	explicit_bzero(secret, sizeof(secret));
	return shown;
}

/* Whether there is at most one header of that name. */
static bool at_most_one(const struct client *k, const char *name)
{
	return client_header(k, name) != NULL || !client_has_header(k, name);
}

bool client_is_our_page(const struct client *k)
{
	return at_most_one(k, MHD_HTTP_HEADER_ORIGIN) && at_most_one(k, "Sec-Fetch-Site") &&
	       login_same_origin(client_header(k, MHD_HTTP_HEADER_CONTENT_TYPE),
				 client_header(k, MHD_HTTP_HEADER_ORIGIN), client_header(k, "Sec-Fetch-Site"),
				 client_header(k, MHD_HTTP_HEADER_HOST));
}
