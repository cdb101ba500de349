/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/gate/verdict.h"

#include <errno.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <sys/socket.h>

/* How often a send is tried while the kernel is briefly short of memory. If a verdict still cannot
 * be sent, its packet stays undecided until the watch over the worker decides it. */
#define TRIES 3

static struct nlmsghdr *build(uint8_t *out, int type, uint16_t queue, uint32_t id, uint32_t verdict)
{
	struct nlmsghdr *h = nfq_nlmsg_put((char *)out, type, queue);

	nfq_nlmsg_verdict_put(h, (int)id, (int)verdict);
	return h;
}

static int send_all(int fd, const void *p, size_t len)
{
	ssize_t n = -1;

	for (int i = 0; i < TRIES; i++) {
		n = send(fd, p, len, 0);
		if (n >= 0 || (errno != EINTR && errno != ENOBUFS && errno != ENOMEM && errno != EAGAIN))
			break;
	}
	return n >= 0 ? 0 : -errno;
}

void verdict_accept(struct verdict_pack *p, uint16_t queue, uint32_t id, uint32_t mark)
{
	struct nlmsghdr *h = build(p->buf + p->len, NFQNL_MSG_VERDICT, queue, id, NF_ACCEPT);

	nfq_nlmsg_verdict_put_mark(h, mark);
	p->len += h->nlmsg_len;
	p->n++;
}

void verdict_drop(struct verdict_pack *p, uint16_t queue, uint32_t id)
{
	p->len += build(p->buf + p->len, NFQNL_MSG_VERDICT, queue, id, NF_DROP)->nlmsg_len;
	p->n++;
}

int verdict_flush(struct verdict_pack *p, int fd)
{
	int r = p->n > 0 ? send_all(fd, p->buf, p->len) : 0;

	p->n = 0;
	p->len = 0;
	return r;
}

size_t verdict_upto_message(uint8_t out[VERDICT_ONE], uint16_t queue, uint32_t id, bool accept)
{
	return build(out, NFQNL_MSG_VERDICT_BATCH, queue, id, accept ? NF_ACCEPT : NF_DROP)->nlmsg_len;
}

int verdict_upto(int fd, uint16_t queue, uint32_t id, bool accept)
{
	_Alignas(8) uint8_t m[VERDICT_ONE];

	return send_all(fd, m, verdict_upto_message(m, queue, id, accept));
}
