/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/hasher.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/role/sandbox.h"

#define FD 3 /* the only one that is left to it */

/* Both ends are of one program: what is not of its size or ends nowhere is no question. */
static void serve(void)
{
	struct hash_question q;
	struct hash_answer a;

	for (;;) {
		ssize_t n = read(FD, &q, sizeof(q));

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(q))
			_exit(n == 0 ? 0 : 1);
		q.phrase[PASSPHRASE_MOST] = q.setting[PASSPHRASE_HASH - 1] = 0;
		memset(&a, 0, sizeof(a));
		a.id = q.id;
		a.ok = passphrase_hash(q.phrase, q.setting, a.hash);
		explicit_bzero(&q, sizeof(q));
		if (write(FD, &a, sizeof(a)) != (ssize_t)sizeof(a))
			_exit(1);
		explicit_bzero(&a, sizeof(a));
	}
}

static void child(int fd)
{
	struct err e = { 0 };

	if (dup2(fd, FD) < 0 || close_range(FD + 1, ~0u, 0) < 0)
		_exit(1);
	prctl(PR_SET_NAME, "sekisho-hash");
	if (sandbox_hasher(&e) < 0) {
		fprintf(stderr, "sekishod accounts: %s\n", e.text);
		_exit(1);
	}
	serve();
}

int hasher_start(struct err *e)
{
	int sv[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return err_set(e, -errno, "socket of the hasher");
	pid = fork();
	if (pid == 0)
		child(sv[1]);
	if (pid < 0) {
		int code = err_set(e, -errno, "start the hasher");

		close(sv[0]);
		close(sv[1]);
		return code;
	}
	close(sv[1]);
	return sv[0];
}

bool hasher_ask(int fd, const struct hash_question *q)
{
	return send(fd, q, sizeof(*q), MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(*q);
}

int hasher_answer(int fd, struct hash_answer *ret)
{
	ssize_t n = recv(fd, ret, sizeof(*ret), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n != (ssize_t)sizeof(*ret))
		return n < 0 ? -errno : -EPIPE;
	ret->hash[PASSPHRASE_HASH - 1] = 0;
	return 1;
}
