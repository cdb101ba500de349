/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the server for benchmarks (load_serve.c) and the clients that measure (load.c).
 *
 * Requests are Modbus reads of 12 bytes, so that the same bytes can pass plain forwarding, a queue
 * that accepts all, and inspection. If a connection starts with a TLS hello, the server answers
 * with one, and the connection then continues in the same way: such a flow leaves inspection on a
 * conduit that only names protocols.
 */
#ifndef SEKISHO_BENCH_LOAD_H
#define SEKISHO_BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#define REQUEST 12u
#define ANSWER_HEAD 9u /* bytes of an answer in front of its registers */
#define REGISTERS_MAX 125u
#define ANSWER_MAX (ANSWER_HEAD + 2u * REGISTERS_MAX)

struct addrinfo;

/* A TLS hello: complete and well-formed as far as its lengths go. */
#define CLIENT_HELLO 52u
#define SERVER_HELLO 47u
extern const unsigned char client_hello[CLIENT_HELLO];
extern const unsigned char server_hello[SERVER_HELLO];

_Noreturn void die(const char *what); /* prints errno and exits with 3 */
struct addrinfo *resolve(const char *address, const char *port, int type);

/* TCP: answers Modbus requests. On port 443 it discards what follows a hello. */
_Noreturn void serve(const struct addrinfo *ai);
/* UDP: answers datagrams that end in '?', discards the others */
_Noreturn void sink(const struct addrinfo *ai);

#endif
