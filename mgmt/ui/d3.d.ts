// SPDX-License-Identifier: Apache-2.0
// The used parts of Debian's d3 modules (node-d3-scale, node-d3-shape): scales with readable ticks,
// and a path of steps.
declare module "d3-scale" {
	interface Linear {
		(value: number): number;
		domain(d: [number, number]): this;
		range(r: [number, number]): this;
		nice(n: number): this;
		ticks(n: number): number[];
	}
	interface Time {
		(value: Date): number;
		domain(d: [Date, Date]): this;
		range(r: [number, number]): this;
		ticks(n: number): Date[];
	}
	export function scaleLinear(): Linear;
	export function scaleTime(): Time;
}
declare module "d3-shape" {
	interface Area {
		(values: number[]): string | null;
		x(f: (value: number, i: number) => number): this;
		y0(y: number): this;
		y1(f: (value: number) => number): this;
		curve(c: unknown): this;
	}
	export function area(): Area;
	export const curveStepAfter: unknown;
}
