/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cheap crane PLC: a Modbus/TCP server (libmodbus) that serves one connection at a time. A client
 * that disappears without FIN or RST blocks it for good. Therefore it is dangerous to cut
 * connections without telling both ends.
 *
 *   plc ADDRESS PORT
 */
#include <modbus.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
	modbus_mapping_t *map;
	modbus_t *ctx;
	int listener;

	if (argc != 3)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	ctx = modbus_new_tcp_pi(argv[1], argv[2]);
	map = modbus_mapping_new(1000, 1000, 1000, 1000);
	if (ctx == NULL || map == NULL)
		return 3;
	for (int i = 0; i < 1000; i++)
		map->tab_registers[i] = (uint16_t)i;
	listener = modbus_tcp_pi_listen(ctx, 5);
	if (listener < 0) {
		perror("plc: listen");
		return 3;
	}
	for (;;) {
		int n;

		if (modbus_tcp_pi_accept(ctx, &listener) < 0)
			continue;
		while ((n = modbus_receive(ctx, query)) >= 0)
			if (n > 0 && modbus_reply(ctx, query, n, map) < 0)
				break;
		modbus_close(ctx);
	}
}
