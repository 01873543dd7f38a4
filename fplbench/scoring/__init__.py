"""Scores of denoised images. Scoring alone sees both the clean and the denoised stack; methods never see the clean one."""

from fplbench.scoring.metrics import METRICS, feature_error, psnr, psnr_uint8, ssim

__all__ = ["METRICS", "feature_error", "psnr", "psnr_uint8", "ssim"]
