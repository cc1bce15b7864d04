-- Galaxies of SDSS's DR12 without redshifts, deeper than the main sample, for learning from images.
-- Ours: Hayat et al. 2021 learn from about 1.2 million images, but their selection is not known.
-- Primary photometry of galaxies with clean flags, de-reddened Petrosian r up to 17.8 + 2.0, one in
-- ten of them by the object's number, so that the number of images is of that order.
SELECT
    p.objID AS objID,
    p.ra AS ra, p.dec AS dec,
    p.run AS run, p.rerun AS rerun, p.camcol AS camcol, p.field AS field,
    p.type AS type, p.mode AS mode, p.clean AS clean, p.insideMask AS insideMask, p.flags AS flags,
    p.petroMag_r - p.extinction_r AS dered_petro_r,
    p.modelMag_u AS modelMag_u, p.modelMag_g AS modelMag_g, p.modelMag_r AS modelMag_r,
    p.modelMag_i AS modelMag_i, p.modelMag_z AS modelMag_z,
    p.modelMagErr_u AS modelMagErr_u, p.modelMagErr_g AS modelMagErr_g,
    p.modelMagErr_r AS modelMagErr_r, p.modelMagErr_i AS modelMagErr_i,
    p.modelMagErr_z AS modelMagErr_z,
    p.extinction_u AS extinction_u, p.extinction_g AS extinction_g, p.extinction_r AS extinction_r,
    p.extinction_i AS extinction_i, p.extinction_z AS extinction_z,
    p.expRad_r AS expRad_r, p.expAB_r AS expAB_r, p.fracDeV_r AS fracDeV_r,
    p.rowc_u AS rowc_u, p.rowc_g AS rowc_g, p.rowc_r AS rowc_r, p.rowc_i AS rowc_i,
    p.rowc_z AS rowc_z,
    f.psfWidth_u AS psfWidth_u, f.psfWidth_g AS psfWidth_g, f.psfWidth_r AS psfWidth_r,
    f.psfWidth_i AS psfWidth_i, f.psfWidth_z AS psfWidth_z
FROM PhotoObjAll AS p
JOIN Field AS f ON f.fieldID = p.fieldID
WHERE p.mode = 1
    AND p.type = 3
    AND p.clean = 1
    AND p.insideMask = 0
    AND p.petroMag_r - p.extinction_r <= 19.8
    AND p.objID % 10 = 0
    AND {page}
ORDER BY p.objID
