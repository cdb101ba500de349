/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/desk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "appliance/accounts/child.h"
#include "appliance/role/sandbox.h"

/* Only this program writes to the other end of the socket, so a question of another size is a
 * fault, and this process ends. The zero byte after each text is set here, whatever was sent. */
static void serve(void)
{
	struct hash_question q;
	struct hash_answer a;

	for (;;) {
		ssize_t n = read(CHILD_FD, &q, sizeof(q));

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(q))
			_exit(n == 0 ? 0 : 1);
		q.phrase[PASSPHRASE_MOST] = q.setting[PASSPHRASE_HASH - 1] = 0;
		memset(&a, 0, sizeof(a));
		a.id = q.id;
		a.ok = passphrase_hash(q.phrase, q.setting, a.hash);
		explicit_bzero(&q, sizeof(q));
		if (write(CHILD_FD, &a, sizeof(a)) != (ssize_t)sizeof(a))
			_exit(1);
		explicit_bzero(&a, sizeof(a));
	}
}

static void child(int unused)
{
	struct err e = { 0 };

	(void)unused;
	if (close_range(CHILD_FD + 1, ~0u, 0) < 0)
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
	return child_start(child, 0, "the hasher", e);
}

bool hasher_ask(int fd, const struct hash_question *q)
{
	return child_ask(fd, q, sizeof(*q));
}

int hasher_answer(int fd, struct hash_answer *ret)
{
	int r = child_answer(fd, ret, sizeof(*ret));

	ret->hash[PASSPHRASE_HASH - 1] = 0;
	return r;
}
