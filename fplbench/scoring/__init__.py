"""Scores of denoised images against clean ones. Only scoring sees both; no method ever sees the clean stack."""

from fplbench.scoring.metrics import METRICS, feature_error, psnr, psnr_uint8, ssim

__all__ = ["METRICS", "feature_error", "psnr", "psnr_uint8", "ssim"]
