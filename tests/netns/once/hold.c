/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads the program of the verdict cache, and appends a rule to chain `forward` of table `inet
 * once` that accepts what the program passes. With "written", it also appends a rule to that chain
 * of `ip mangle` that makes the kernel write checksums before. Then it reads commands, one a line:
 * "give CLIENT SERVER" makes a lease with these next sequence numbers, for the one poll that this
 * program knows; any other line prints the state of that lease. Everything exists until the input
 * ends. The kernel itself loads xt_bpf only for rules of ip and ip6: the caller must load it.
 *
 *   hold OBJECT [written]
 */
#include <netinet/in.h> /* before linux/, which then omits its own definitions */

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "appliance/cache/load.h"

#define PERMIT 7u

static void die(const char *what)
{
	fprintf(stderr, "hold: %s: %s\n", what, strerror(errno));
	exit(3);
}

static struct nftnl_expr *expr(const char *kind)
{
	struct nftnl_expr *e = nftnl_expr_alloc(kind);

	if (e == NULL)
		die("memory");
	return e;
}

static void append(uint16_t family, const char *table, struct nftnl_expr *first, struct nftnl_expr *second)
{
	static char buf[16384];
	struct mnl_socket *s = mnl_socket_open(NETLINK_NETFILTER);
	struct mnl_nlmsg_batch *b = mnl_nlmsg_batch_start(buf, sizeof(buf) / 2);
	struct nftnl_rule *r = nftnl_rule_alloc();
	uint32_t seq = (uint32_t)time(NULL);
	ssize_t n;

	if (s == NULL || b == NULL || r == NULL || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
		die("netlink");
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, "forward");
	nftnl_rule_add_expr(r, first);
	if (second != NULL)
		nftnl_rule_add_expr(r, second);
	nftnl_batch_begin(mnl_nlmsg_batch_current(b), seq);
	mnl_nlmsg_batch_next(b);
	nftnl_rule_nlmsg_build_payload(nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(b), NFT_MSG_NEWRULE, family,
							     NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, seq + 1),
				       r);
	mnl_nlmsg_batch_next(b);
	nftnl_batch_end(mnl_nlmsg_batch_current(b), seq + 2);
	mnl_nlmsg_batch_next(b);
	if (mnl_socket_sendto(s, mnl_nlmsg_batch_head(b), mnl_nlmsg_batch_size(b)) < 0)
		die(table);
	n = mnl_socket_recvfrom(s, buf, sizeof(buf));
	if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(s), NULL, NULL) < 0)
		die(table);
	nftnl_rule_free(r);
	mnl_nlmsg_batch_stop(b);
	mnl_socket_close(s);
}

static void accept_by(int program)
{
	size_t n = (sizeof(struct xt_bpf_info_v1) + 7u) & ~(size_t)7u;
	struct xt_bpf_info_v1 *info = calloc(1, n);
	struct nftnl_expr *match = expr("match"), *verdict = expr("immediate");

	if (info == NULL)
		die("memory");
	info->mode = XT_BPF_MODE_FD_ELF;
	info->fd = program;
	nftnl_expr_set_str(match, NFTNL_EXPR_MT_NAME, "bpf");
	nftnl_expr_set_u32(match, NFTNL_EXPR_MT_REV, 1);
	nftnl_expr_set(match, NFTNL_EXPR_MT_INFO, info, (uint32_t)n);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it belongs to the expression now */
	nftnl_expr_set_u32(verdict, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(verdict, NFTNL_EXPR_IMM_VERDICT, NF_ACCEPT);
	append(NFPROTO_INET, "once", match, verdict);
}

static void write_checksums(void)
{
	uint8_t *info = calloc(1, 8);
	struct nftnl_expr *target = expr("target");

	if (info == NULL)
		die("memory");
	info[0] = 1; /* XT_CHECKSUM_OP_FILL */
	nftnl_expr_set_str(target, NFTNL_EXPR_TG_NAME, "CHECKSUM");
	nftnl_expr_set_u32(target, NFTNL_EXPR_TG_REV, 0);
	nftnl_expr_set(target, NFTNL_EXPR_TG_INFO, info, 8);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it belongs to the expression now */
	append(NFPROTO_IPV4, "mangle", target, NULL);
}

static struct once_lease *give(struct once_lease *all, struct once_template *t, uint32_t client, uint32_t server)
{
	static const uint8_t poll[12] = { 0, 0, 0, 0, 0, 6, 1, 3, 0, 0, 0, 2 };
	static const uint8_t answer[9] = { 0, 0, 0, 0, 0, 7, 1, 3, 4 };
	struct once_lease l = { .permit = PERMIT,
				.client_port = 40000,
				.server_port = 502,
				.family = 4,
				.words = { 5, 5 },
				.hops = { 63, 63 },
				.next = { client, server },
				.acked = { client, server },
				.last = ONCE_NOTHING,
				.waits = ONCE_NOTHING };
	uint32_t place;

	memset(t, 0, sizeof(*t));
	t->permit = PERMIT;
	t->length = 12;
	t->answer = 13;
	memcpy(t->request, poll, 12);
	memset((uint8_t *)t->mask + 2, 0xff, 10);
	memcpy(t->head, answer, 9);
	memset((uint8_t *)t->head_mask + 2, 0xff, 7);
	for (uint8_t i = 0; i < 2; i++)
		t->repeats[i] = (struct once_repeat){ .at = i, .from = i, .any = 0xff };
	inet_pton(AF_INET, "10.1.0.2", l.client);
	inet_pton(AF_INET, "10.2.0.2", l.server);
	place = once_place(l.client, l.server, 40000u << 16 | 502u);
	all[place] = l;
	__atomic_store_n(&all[place].state, ONCE_GIVEN, __ATOMIC_SEQ_CST);
	return &all[place];
}

int main(int argc, char **argv)
{
	struct once_template *templates;
	struct once_lease *leases, *l;
	struct cache_memory memory = { 0 };
	struct cache cache;
	char line[80], *rest = line;
	struct err err;

	if (argc < 2 || cache_load(argv[1], &memory, &cache, &err) != 0) {
		fprintf(stderr, "hold: %s\n", argc < 2 ? "which object?" : err.text);
		return 3;
	}
	leases = l = cache_leases(&cache);
	templates = cache_templates(&cache);
	if (leases == NULL || templates == NULL)
		die("memory of the program");
	if (argc > 2)
		write_checksums();
	accept_by(cache.program);
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (strncmp(line, "give ", 5) == 0) {
			uint32_t client = (uint32_t)strtoul(line + 5, &rest, 10);

			l = give(leases, templates, client, (uint32_t)strtoul(rest, NULL, 10));
		}
		printf("%u %u %u\n", __atomic_load_n(&l->state, __ATOMIC_SEQ_CST), l->next[0], l->next[1]);
		fflush(stdout);
	}
	return 0;
}
