/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a raw socket for resets. Runs in the supervisor, inside the data namespace. */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/gate/reset.h"

int reset_socket_open(int family, struct err *e)
{
	struct sock_filter nothing[] = { { .code = BPF_RET | BPF_K, .k = 0 } };
	struct sock_fprog prog = { .len = 1, .filter = nothing };
	int one = 1, fd, r;

	fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	if (fd < 0)
		return err_set(e, -errno, "raw socket");
	/* IPPROTO_RAW receives only protocol 255, and the locked filter drops even that. */
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, family == AF_INET ? IP_HDRINCL : IPV6_HDRINCL,
		       &one, sizeof(one)) < 0) {
		r = err_set(e, -errno, "options of a raw socket");
		close(fd);
		return r;
	}
	return fd;
}
