/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/gate/verdict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

/* How often a send is tried again when the kernel is short of memory for a moment. What still fails stays outstanding,
 * and the watch over the worker decides it. */
#define TRIES 3

/* The layout of every message here; all members are naturally aligned and sum up without gaps. */
struct message {
	struct nlmsghdr head;
	struct nfgenmsg gen;
	struct nlattr verdict_attr;
	struct nfqnl_msg_verdict_hdr verdict;
	struct nlattr mark_attr;
	uint32_t mark;
};

_Static_assert(sizeof(struct message) == VERDICT_ONE, "verdict message");

static size_t build(uint8_t *out, uint16_t type, uint16_t queue, uint32_t id, uint32_t verdict, const uint32_t *mark)
{
	size_t len = mark != NULL ? sizeof(struct message) : offsetof(struct message, mark_attr);
	struct message m = {
		.head = {
			.nlmsg_len = (uint32_t)len,
			.nlmsg_type = (uint16_t)((NFNL_SUBSYS_QUEUE << 8) | type),
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.gen = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(queue) },
		.verdict_attr = { .nla_len = sizeof(struct nlattr) + sizeof(struct nfqnl_msg_verdict_hdr),
				  .nla_type = NFQA_VERDICT_HDR },
		.verdict = { .verdict = htonl(verdict), .id = htonl(id) },
		.mark_attr = { .nla_len = sizeof(struct nlattr) + sizeof(uint32_t), .nla_type = NFQA_MARK },
		.mark = htonl(mark != NULL ? *mark : 0),
	};

	memcpy(out, &m, len);
	return len;
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
	p->len += build(p->buf + p->len, NFQNL_MSG_VERDICT, queue, id, NF_ACCEPT, &mark);
	p->n++;
}

void verdict_drop(struct verdict_pack *p, uint16_t queue, uint32_t id)
{
	p->len += build(p->buf + p->len, NFQNL_MSG_VERDICT, queue, id, NF_DROP, NULL);
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
	return build(out, NFQNL_MSG_VERDICT_BATCH, queue, id, accept ? NF_ACCEPT : NF_DROP, NULL);
}

int verdict_upto(int fd, uint16_t queue, uint32_t id, bool accept)
{
	uint8_t m[VERDICT_ONE];

	return send_all(fd, m, verdict_upto_message(m, queue, id, accept));
}
