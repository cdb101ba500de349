/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/notify/ask.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/base/memfd.h"

#define WAIT_S 5
#define ANSWER_MOST (16u << 20) /* bytes of JSON */

static int dial(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = WAIT_S };
	int fd;

	if (strlen(path) >= sizeof(to.sun_path))
		return -1;
	memcpy(to.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
			setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
			connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static json_t *object_of(int fd)
{
	struct err e = { 0 };
	uint8_t *text = NULL;
	json_t *ret = NULL;
	size_t n = 0;

	if (memfd_read(fd, ANSWER_MOST, &text, &n, &e) == 0)
		ret = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (json_is_object(ret))
		return ret;
	json_decref(ret);
	return NULL;
}

json_t *notify_ask(const char *socket, const struct msg_body *question)
{
	int fd = dial(socket);
	struct msg m = { 0 };
	json_t *ret = NULL;

	if (fd < 0)
		return NULL;
	if (msg_send(fd, 1, question, NULL, 0) >= 0 && msg_recv(fd, ROLE_SUPERVISOR, ROLE_CLI, &m) == 1) {
		if (m.body.type == MSG_ANSWER && m.body.answer.status == ANSWER_YES && m.n_fds == 1)
			ret = object_of(m.fds[0]);
		msg_close_fds(&m);
	}
	close(fd);
	return ret;
}
