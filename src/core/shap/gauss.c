/*
 * gauss.c: Gauss-Legendre quadrature: the nodes are the roots of the Legendre
 * polynomial, found by Newton's method from Chebyshev's guess.
 */
#include "core/shap/gauss.h"

#include <math.h>

void
mp_gauss_legendre(int n, double *t, double *weight)
{
	for (int i = 0; i < n; i++)
	{
		double		x = cos(3.14159265358979323846 * (i + 0.75) / (n + 0.5));
		double		slope = 1;

		for (int round = 0; round < 20; round++)
		{
			double		p0 = 1;
			double		p1 = x;

			for (int k = 2; k <= n; k++)
			{
				double		p2 = ((2 * k - 1) * x * p1 - (k - 1) * p0) / k;

				p0 = p1;
				p1 = p2;
			}
			slope = n * (x * p1 - p0) / (x * x - 1);
			x -= p1 / slope;
		}
		t[i] = (1 - x) / 2;
		weight[i] = 1 / ((1 - x * x) * slope * slope);
	}
}
